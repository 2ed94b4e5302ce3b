"""What failed while a plan was done, and what builds on that."""

from __future__ import annotations

from .plan import BASE_STEPS, Action
from .trust import NodeError


class Troubles:
    """What failed while a plan was done: by base (key), and by place and dataset."""

    def __init__(self) -> None:
        self.bases: dict[str, str] = {}
        self.gates: dict[tuple[str, str], str] = {}
        self.versions: dict[tuple[str, str, str], str] = {}

    def add(self, step: Action, error: Exception) -> None:
        words = error.message if isinstance(error, NodeError) else f"{step.kind}: {error.strerror or error}"  # type: ignore[attr-defined]
        if step.kind in BASE_STEPS:
            self.bases[step.key] = words
        elif step.kind in ("show", "hide"):
            self.versions[step.place, step.name, step.version] = words
        else:
            self.gates[step.place, step.name] = words

    def spoil(self, step: Action) -> bool:
        """Whether a step cannot be done because one that it builds on failed."""
        if (step.place, "") in self.gates:
            return True
        if step.kind in ("show", "hide"):
            return (step.place, step.name, step.version) in self.versions or (step.place, step.name) in self.gates
        if step.kind in ("latest", "link"):
            return (step.place, step.name) in self.gates
        return False

    def of(self, place: str, name: str, version: str | None) -> str | None:
        """Why a dataset cannot be used in a place; None when it can. ``version`` is the one that must be there."""
        wrong = self.gates.get((place, name)) or self.gates.get((place, ""))
        if wrong is None and version is not None:
            wrong = self.versions.get((place, name, version))
        return wrong

    def __bool__(self) -> bool:
        return bool(self.bases or self.gates or self.versions)

    def lines(self) -> list[str]:
        """For the log."""
        lines = [f"{key}: {words}" for key, words in self.bases.items()]
        lines += [f"{name} in {place or 'this node'}: {words}" for (place, name), words in self.gates.items()]
        lines += [
            f"{name}/{version} in {place or 'this node'}: {words}"
            for (place, name, version), words in self.versions.items()
        ]
        return lines
