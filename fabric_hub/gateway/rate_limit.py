"""How often Slurm may be asked. Pure: the clock is the caller's.

Every question - squeue, sinfo, sacct - counts as one, whatever it costs inside
(one squeue or one sinfo is two RPCs to slurmctld).
"""

from __future__ import annotations

from dataclasses import dataclass

SLOWEST_S = 60.0
# Slurm may spend at most this share of its time on our questions: one that took 3 s is asked every 30 s.
_SHARE = 0.1


@dataclass
class Bucket:
    """A token bucket: ``rate`` questions a second on average, at most ``burst`` at once.

    Times are seconds on any monotonic clock.
    """

    rate: float
    burst: float = 2.0
    _tokens: float = -1.0
    _at: float = 0.0

    def wait_s(self, now: float) -> float:
        """Seconds until the next question may be asked; 0 is now."""
        self._fill(now)
        return 0.0 if self._tokens >= 1.0 - 1e-9 else (1.0 - self._tokens) / self.rate

    def take(self, now: float) -> None:
        """Count one question."""
        self._fill(now)
        self._tokens -= 1.0

    def turn_s(self, now: float) -> float:
        """Count one more question at once, so that nobody else is given its place; seconds until it may be asked."""
        wait_s = self.wait_s(now)
        self.take(now)
        return wait_s

    def _fill(self, now: float) -> None:
        if self._tokens < 0 and self._at == 0.0:
            self._tokens = self.burst
        else:
            self._tokens = min(self.burst, self._tokens + max(0.0, now - self._at) * self.rate)
        self._at = now


def interval_s(base_s: float, *, took_s: float = 0.0, failures: int = 0, idle: bool = False) -> float:
    """Seconds until the next question of a kind.

    :param base_s: the site's interval.
    :param took_s: how long the last answer took.
    :param failures: questions in a row that went unanswered.
    :param idle: nobody looks and none of our jobs is alive.
    """
    slowest = max(SLOWEST_S, base_s)
    wanted = max(base_s, took_s / _SHARE, slowest if idle else 0.0)
    # an outage is over some time: nobody should wait long to hear of it
    return min(slowest, wanted * float(1 << min(failures, 2)))
