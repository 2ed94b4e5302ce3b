"""How often one user may have something recorded. Pure.

What is in the audit log stays for years: whoever can make the catalogue service write a record must not be able to
fill its disk.
"""

from __future__ import annotations


class RateLimit:
    """So many at once for each user, and then one every so often.

    :param at_once: how many a user who was quiet may have one after the other.
    :param per_s: how many more become free again in a second.
    """

    def __init__(self, at_once: int, per_s: float) -> None:
        self._at_once, self._per_s = at_once, per_s
        self._spent: dict[str, tuple[float, float]] = {}  # user -> (how much at that moment, the moment)

    def take(self, who: str, now: float) -> bool:
        """Whether this user may have one more now (seconds of a clock that never goes back)."""
        spent, at = self._spent.get(who, (0.0, now))
        spent = max(0.0, spent - (now - at) * self._per_s)
        if spent + 1 > self._at_once:
            return False
        self._spent[who] = (spent + 1, now)
        if len(self._spent) > 10_000:  # names may be made up: forget those who have been quiet long enough
            self._spent = {
                other: (much, then)
                for other, (much, then) in self._spent.items()
                if much - (now - then) * self._per_s > 0
            }
        return True
