"""Which grants are in force after a restore. Pure.

Three sources speak of a grant: the backup's catalogue, what the nodes were told last (``grants.json``), and the audit
log, which is either the site's own, whole up to its head, or a copy that was exported some time. The newest decides.
A restore brings back nothing that a newer source says was revoked, and of data that is not public nothing that the
backup alone knows: that stays shut until the steward confirms it.

The publication names accounts, not projects, and only grants under which somebody may use the data now: a grant that
it lists was in force when it was written; one that it does not list may have been revoked, or unused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum

from pydantic import Field

from fabric_hub.datasets.model import Access, Grant
from fabric_hub.types import Frozen, Slug


class Said(StrEnum):
    """What the audit log says last of a grant."""

    GRANTED = "granted"
    REVOKED = "revoked"
    HELD = "held"  # an earlier restore shut it, and nobody has confirmed it


class Word(Frozen):
    """The audit log's last word on a project's grant of a dataset; ``at`` in Unix seconds."""

    said: Said
    grant: Grant

    @property
    def at(self) -> float:
        return self.grant.at


class LogEvidence(Frozen):
    """An audit log's last words. ``whole``: it is the site's own, and ends at its head; else it may lack the newest.

    ``at`` is when its last record was written; ``retired`` the datasets that were taken out of use after the backup.
    """

    at: float
    whole: bool
    words: tuple[Word, ...] = ()
    retired: frozenset[Slug] = frozenset()


class Publication(Frozen):
    """What the nodes were told last, at ``at``: entries by dataset and account, and the access of what is offered."""

    at: float
    serial: int = 0
    listed: tuple[tuple[Slug, str], ...] = ()
    offered: dict[Slug, Access] = Field(default_factory=dict)


class BackupState(Frozen):
    """What the backup's catalogue has, as of ``at``: its grants, of each dataset whether it is offered, and how; and
    the Slurm account of each project that it keeps.
    """

    at: float
    grants: tuple[Grant, ...] = ()
    access: dict[Slug, Access] = Field(default_factory=dict)
    offered: frozenset[Slug] = frozenset()
    accounts: dict[Slug, str] = Field(default_factory=dict)


class Fate(StrEnum):
    """What becomes of a grant."""

    KEPT = "kept"
    REVOKED = "revoked"
    SHUT = "shut"


class Outcome(Frozen):
    """One grant after the restore."""

    fate: Fate
    grant: Grant


class Decisions(Frozen):
    """What a restore does to the catalogue: each grant's fate, and the datasets that it takes out of use."""

    grants: tuple[Outcome, ...]
    retired: tuple[Slug, ...]

    def of(self, fate: Fate) -> tuple[Grant, ...]:
        """The grants of one fate."""
        return tuple(one.grant for one in self.grants if one.fate is fate)


Pair = tuple[str, str]


def decide(
    backup: BackupState,
    accounts: Mapping[str, str],
    published: Publication | None = None,
    log: LogEvidence | None = None,
) -> Decisions:
    """The grants of a catalogue that is restored, in the order of dataset and project.

    :param accounts: the Slurm account of each project.
    """
    ours = {_pair(grant): grant for grant in backup.grants}
    words = {_pair(word.grant): word for word in log.words} if log else {}
    told = _told(ours, words, accounts, published)
    found = []
    for pair in sorted(ours.keys() | words.keys()):
        if pair[0] not in backup.access:
            continue  # a dataset that came after the backup: it is not in the catalogue, and neither is a grant of it
        public = backup.access[pair[0]] is Access.PUBLIC
        outcome = _one(ours.get(pair), words.get(pair), log, pair in told, published, public=public)
        if outcome is not None:
            found.append(outcome)
    return Decisions(grants=tuple(found), retired=tuple(sorted(_retired(backup, published, log))))


def _pair(grant: Grant) -> Pair:
    return grant.dataset, grant.project


def _one(
    ours: Grant | None, word: Word | None, log: LogEvidence | None, told: bool, published: Publication | None,
    *, public: bool,
) -> Outcome | None:  # fmt: skip
    """The fate of one grant; None: there is none, and there was none in the backup."""
    if word is not None and not (ours is not None and _newer_than_log(ours, word, log)):
        if word.said is Said.REVOKED:
            return Outcome(fate=Fate.REVOKED, grant=ours) if ours else None
        if word.said is Said.HELD:
            return Outcome(fate=Fate.SHUT, grant=ours or word.grant)
        grant = word.grant if ours is None or word.at > ours.at else ours
        # a copy of the log may lack the revocation that the nodes were told of since
        missed = log is not None and not log.whole and published is not None and published.at > log.at and not told
        return Outcome(fate=Fate.SHUT if missed and not public else Fate.KEPT, grant=grant)
    if ours is None:
        return None
    return Outcome(fate=Fate.KEPT if told or public else Fate.SHUT, grant=ours)


def _newer_than_log(ours: Grant, word: Word, log: LogEvidence | None) -> bool:
    """Whether the backup's grant was made after the last record of a copy of the log: the copy's word is older."""
    return log is not None and not log.whole and ours.at > log.at and ours.at > word.at


def _told(
    ours: Mapping[Pair, Grant], words: Mapping[Pair, Word], accounts: Mapping[str, str], published: Publication | None
) -> frozenset[Pair]:
    """The grants that the publication surely lists. Where several projects share an account, it must list them all."""
    if published is None:
        return frozenset()
    listed = Counter(published.listed)
    candidates = [pair for pair in {*ours, *words} if pair[1] in accounts]
    claims = Counter((dataset, accounts[project]) for dataset, project in candidates)
    return frozenset(
        (dataset, project)
        for dataset, project in candidates
        if listed[dataset, accounts[project]] >= claims[dataset, accounts[project]]
    )


def _retired(backup: BackupState, published: Publication | None, log: LogEvidence | None) -> Iterable[str]:
    """Datasets that the backup offers and a newer source does not, or not to everybody any more."""
    for name in backup.offered:
        if log is not None and name in log.retired:
            yield name
        elif published is not None and published.at > backup.at:
            now = published.offered.get(name)
            narrowed = now is not None and now is not Access.PUBLIC and backup.access.get(name) is Access.PUBLIC
            if (now is None and not (log is not None and log.whole)) or narrowed:
                yield name
