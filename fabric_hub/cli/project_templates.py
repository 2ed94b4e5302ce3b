"""Templates of projects at the command line."""

from __future__ import annotations

from fabric_hub.config.settings import Settings
from fabric_hub.config.templates import TemplateSettings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import project_requests as texts


def template_of(settings: Settings, name: str) -> TemplateSettings:
    """A template of the site's file.

    :raises FabricError: it has none of this name.
    """
    known = settings.catalogue.templates if settings.catalogue else {}
    if name in known:
        return known[name]
    told = texts.NO_TEMPLATE(template=name, templates=tuple(known)) if known else texts.NO_TEMPLATES(template=name)
    raise FabricError(told)
