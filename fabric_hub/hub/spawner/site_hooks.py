"""What a site's hooks say to a spawner: batchspawner's ``req_*``, for one start, and what of it has no effect."""

from __future__ import annotations

from typing import Any

from .bases import WrapSpawner
from .opening import CHILDREN
from .slurm_child import FabricSlurmSpawner


class HookedSpawner(WrapSpawner):  # type: ignore[misc]
    """A wrapper that takes ``req_*`` as attributes of its own, as batchspawner's spawner does."""

    child_class: Any
    child_config: dict[str, Any]
    child_spawner: Any
    child_kind: Any

    def site_request(self) -> dict[str, Any]:
        """The site's ``req_*`` settings for this user, names without ``req_``, as far as they are known now.

        What the site's hooks set on this spawner (for one start) counts before what they set on its child, and that
        before the configuration.
        """
        own = {name.removeprefix("req_"): value for name, value in vars(self).items() if name.startswith("req_")}
        return {**self._slurm_child().site_request(), **own}

    def _slurm_child(self) -> FabricSlurmSpawner:
        child = self.child_spawner
        if isinstance(child, FabricSlurmSpawner):
            return child
        return FabricSlurmSpawner(  # one as a start makes it
            user=self.user, db=self.db, hub=self.hub, authenticator=self.authenticator,
            oauth_client_id=self.oauth_client_id, server=self._server, config=self.config,
        )  # fmt: skip

    def __getattr__(self, name: str) -> Any:
        # what a hook has not set for this start is the configuration's: `spawner.req_options += " --exclusive"`
        if name.startswith("req_"):
            return getattr(self._slurm_child(), name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def set_by_hook(self) -> dict[str, Any]:
        """What a hook set on this spawner that only batchspawner and wrapspawner know, by name."""
        batch = set(FabricSlurmSpawner.class_trait_names())
        found = {name: value for name, value in vars(self).items() if name in batch or name.startswith("req_")}
        if self.child_config:  # ours is empty: wrapspawner would have made the child of it later
            found["child_config"] = self.child_config
        if self.child_kind and self.child_class is not CHILDREN[self.child_kind]:
            found["child_class"] = self.child_class
        return found

    def forget_hook(self) -> None:
        """A hook sets these for one start."""
        for name in self.set_by_hook():
            self.__dict__.pop(name, None)
