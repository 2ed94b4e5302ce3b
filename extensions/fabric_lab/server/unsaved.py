"""Which documents have changes that are in no file, as each tab of JupyterLab says (``POST <base>/fabric/unsaved``).

Only browsers know. A tab that was closed has none any more; one that is silent, as on a laptop that sleeps, still has
what it said last. The hub is told a number, never a name.
"""

from __future__ import annotations

from collections.abc import Callable

MOST_TABS, MOST_PATHS, LONGEST = 100, 1000, 4096


class Unsaved:
    """What the tabs have said; ``changed`` is called when it is something else."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._tabs: dict[str, frozenset[str]] = {}
        self._heard = False
        self._changed = changed

    @property
    def count(self) -> int | None:
        """The documents that are unsaved in any tab, each once; None while no tab has ever said anything."""
        return len(frozenset[str]().union(*self._tabs.values())) if self._heard else None

    def tell(self, tab: str, paths: frozenset[str] | None) -> None:
        """A tab's unsaved documents; None: it is closed."""
        before, self._heard = self.count, True
        self._tabs.pop(tab, None)
        if paths is not None:
            if len(self._tabs) >= MOST_TABS:
                del self._tabs[next(iter(self._tabs))]  # the one that said nothing for the longest time
            self._tabs[tab] = paths
        if self.count != before:
            self._changed()


def told(body: dict[str, object]) -> tuple[str, frozenset[str] | None]:
    """A tab's word, checked: its name, and the paths that are unsaved there. Pure.

    :raises ValueError: it is none.
    """
    tab, paths = body.get("tab"), body.get("unsaved")
    if not isinstance(tab, str) or not 1 <= len(tab) <= 64:
        raise ValueError("neither a tab nor its documents")
    if paths is None:
        return tab, None
    if not isinstance(paths, list) or len(paths) > MOST_PATHS:
        raise ValueError("neither a tab nor its documents")
    return tab, frozenset(path[:LONGEST] for path in paths if isinstance(path, str))
