"""Images that a site offers only once they are built (``image.NAME.when_built``)."""

from __future__ import annotations

from fabric_hub.config.settings import Settings


def as_built(settings: Settings) -> Settings:
    """The settings without the images that wait for their build.

    ``images.dir`` is looked at only where some image asks for it: a hub need not see the nodes' file system.
    """
    waiting = {
        name
        for name, image in settings.image.items()
        if image.when_built and not (settings.images.dir / name / "current").exists()
    }
    if not waiting:
        return settings
    offered = {name: image for name, image in settings.image.items() if name not in waiting}
    return settings.model_copy(update={"image": offered})
