"""What should be open, what is, and the steps from the one to the other. Pure.

A *place* is where a job sees its datasets: the node itself (:data:`HOST`), or the mount namespace that Slurm keeps
for one job, named by the path of its file. A *gate* is a directory that lets in the uids of an ACL; inside it every
version is mounted. The gates show root's own mounts (*bases*), of which there is one per image on a node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from .grants import Grants, Source, who_may
from .jobs import Job

HOST = ""
BASE_STEPS = ("mount_base", "unmount_base", "cut_base")


@dataclass(frozen=True)
class Gate:
    """A gate as it should be: who may enter, and which base (by key) is shown as which version."""

    uids: frozenset[int]
    versions: Mapping[str, str]
    latest: str | None


@dataclass(frozen=True)
class Wanted:
    """Everything that should be there. A base without a source is one to keep, when it is there."""

    bases: Mapping[str, Source | None] = field(default_factory=dict)
    places: Mapping[str, Mapping[str, Gate]] = field(default_factory=dict)


@dataclass(frozen=True)
class SeenGate:
    """A gate as it is. ``uids`` of None: its ACL is not one of ours. ``versions``: the base that is shown, in the
    right way, or None where nothing (or something else) is."""

    uids: frozenset[int] | None
    versions: Mapping[str, str | None]
    latest: str | None


@dataclass(frozen=True)
class SeenPlace:
    """``ready``: it can hold gates. ``links``: the names in the data directory that lead to gates."""

    ready: bool = True
    gates: Mapping[str, SeenGate] = field(default_factory=dict)
    links: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Seen:
    """Everything that is there; ``bases``: key, and whether it is mounted as it should be.

    ``twins``: keys of bases that show the very same directory as another one, by whose key they are seen in gates.
    """

    bases: Mapping[str, bool] = field(default_factory=dict)
    places: Mapping[str, SeenPlace] = field(default_factory=dict)
    twins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Action:
    """One step. Which fields count depends on ``kind``, which is the name of the method of Mounts that does it."""

    kind: str
    place: str = HOST
    name: str = ""
    version: str = ""
    key: str = ""
    uids: frozenset[int] = frozenset()


def may_stay(job: Job, name: str, grants: Grants | None, now: float) -> bool:
    """Whether a job may keep what it has open of a dataset, be it closed since.

    Without grants it may until the end that it was told.
    """
    if grants is None:
        until = job.opened[name].until if name in job.opened else None
        return until is None or until > now
    return who_may(grants, name, job.uid, job.account, now).allowed


def wanted(jobs: Iterable[Job], grants: Grants | None, places: Mapping[str, str], seen: Seen, now: float) -> Wanted:
    """What the live jobs should see now.

    :param grants: None while they cannot be read: what is open stays, each until its own end; nothing is added.
    :param places: stem of a job -> its place.
    """
    bases: dict[str, Source | None] = {}
    held: set[str] = set()  # what jobs may have open files of
    gates: dict[str, dict[str, Gate]] = {place: {} for place in seen.places}
    for job in jobs:
        place = places[job.stem]
        here = gates.setdefault(place, {})
        held.update(key for name, keys in job.held.items() if may_stay(job, name, grants, now) for key in keys)
        for name in job.opened:
            if not may_stay(job, name, grants, now):
                continue
            if name in here:
                here[name] = replace(here[name], uids=here[name].uids | {job.uid})
            elif grants is not None:
                dataset = grants.datasets[name]
                sources = dataset.shown_to(job.uid, apart=place != HOST)
                bases.update({source.key: source for source in sources.values()})
                shown = {version: source.key for version, source in sources.items()}
                here[name] = Gate(frozenset({job.uid}), shown, dataset.latest)
            elif place in seen.places and name in seen.places[place].gates:
                gate = seen.places[place].gates[name]
                kept = {version: key for version, key in gate.versions.items() if key is not None}
                bases.update(dict.fromkeys(kept.values()))
                here[name] = Gate(frozenset({job.uid}), kept, gate.latest if gate.latest in kept else None)
    return Wanted({**dict.fromkeys(held), **bases}, gates)


def plan(should: Wanted, seen: Seen, *, whole: bool = True) -> list[Action]:
    """The steps from what is there to what should be, in an order that is safe to break off anywhere.

    First nobody keeps what they may not have; then what nobody uses goes; then what is new is made, and its gate
    opens last. Only places in ``seen`` are touched.

    :param whole: all places were looked at, so a base that none of them wants can go.
    """
    shut: list[Action] = []
    remove: list[Action] = []
    make: list[Action] = []
    for place, there in seen.places.items():
        gates = should.places.get(place, {})
        if gates and not there.ready:
            make.append(Action("prepare", place))
        for name in sorted(there.gates):
            shut += _shut(place, name, there.gates[name], gates.get(name))
            remove += _remove(place, name, there.gates[name], gates.get(name), seen.twins)
        remove += [Action("unlink", place, name) for name in sorted(there.links - set(gates))]
        for name in sorted(gates):
            make += _make(place, name, gates[name], there.gates.get(name), seen.twins)
            if name not in there.links:
                make.append(Action("link", place, name))
    bases = [Action("cut_base", key=key) for key in sorted(seen.bases) if key not in should.bases and whole]
    bases += [
        Action("unmount_base", key=key) for key in sorted(seen.bases) if key in should.bases and not seen.bases[key]
    ]
    bases += [
        Action("mount_base", key=key)
        for key in sorted(should.bases)
        if not seen.bases.get(key) and should.bases[key] is not None
    ]
    return shut + remove + bases + make


def _shut(place: str, name: str, seen: SeenGate, gate: Gate | None) -> list[Action]:
    stay = frozenset() if gate is None else gate.uids & (seen.uids or frozenset())
    return [] if seen.uids == stay else [Action("readers", place, name, uids=stay)]


def _remove(place: str, name: str, seen: SeenGate, gate: Gate | None, twins: Mapping[str, str]) -> list[Action]:
    keep = {} if gate is None else gate.versions
    steps = [
        Action("hide", place, name, version)
        for version, key in sorted(seen.versions.items())
        if version not in keep or (key is not None and twins.get(keep[version], keep[version]) != key)
    ]
    if gate is None:
        steps.append(Action("remove", place, name))
    return steps


def _make(place: str, name: str, gate: Gate, seen: SeenGate | None, twins: Mapping[str, str]) -> list[Action]:
    steps = [] if seen is not None else [Action("make", place, name)]
    shown = {} if seen is None else seen.versions
    steps += [
        Action("show", place, name, version, key)
        for version, key in sorted(gate.versions.items())
        if shown.get(version) != twins.get(key, key)
    ]
    if gate.latest != (None if seen is None else seen.latest):
        steps.append(Action("latest", place, name, gate.latest or ""))
    before = frozenset() if seen is None or seen.uids is None else seen.uids
    if not gate.uids <= before:
        steps.append(Action("readers", place, name, uids=gate.uids))
    return steps
