"""The plan of a node, on a model: from any state, broken off anywhere, it reaches its goal and opens nothing else."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from fabric_node.grants import Dataset, Grant, Grants, Source
from fabric_node.jobs import Job, Opened
from fabric_node.plan import HOST, Action, Gate, Seen, SeenGate, SeenPlace, Wanted, plan, wanted

NOW = 1_790_000_000.0
NAMES, VERSIONS, UIDS, PLACES = ["wind", "maps"], ["1", "2"], [1001, 1002, 1003], [HOST, "/ns/7"]


def source(version: str) -> Source:
    return Source("image", f"/srv/{version}", version * 64, 1)


KEYS = [source(version).key for version in VERSIONS]


def do(seen: Seen, step: Action) -> Seen:
    """The state after one step, as Mounts would leave it."""
    bases, places = dict(seen.bases), dict(seen.places)
    if step.kind == "mount_base":
        return replace(seen, bases={**bases, step.key: True})
    if step.kind in ("unmount_base", "cut_base"):
        return replace(seen, bases={key: good for key, good in bases.items() if key != step.key})
    place = places[step.place]
    gates = dict(place.gates)
    if step.kind == "prepare":
        place = SeenPlace(True)
    elif step.kind in ("link", "unlink"):
        changed = place.links | {step.name} if step.kind == "link" else place.links - {step.name}
        place = replace(place, links=changed)
    elif step.kind == "remove":
        place = replace(place, gates={name: gate for name, gate in gates.items() if name != step.name})
    else:
        gate = gates.get(step.name, SeenGate(frozenset(), {}, None))
        if step.kind == "readers":
            gate = replace(gate, uids=step.uids)
        elif step.kind == "show":
            assert bases[step.key], "nothing to show"
            gate = replace(gate, versions={**gate.versions, step.version: step.key})
        elif step.kind == "hide":
            gate = replace(gate, versions={v: key for v, key in gate.versions.items() if v != step.version})
        elif step.kind == "latest":
            gate = replace(gate, latest=step.version or None)
        else:
            assert step.kind == "make"
        place = replace(place, gates={**gates, step.name: gate})
    return replace(seen, places={**places, step.place: place})


some_uids = st.frozensets(st.sampled_from(UIDS))
seen_gates = st.builds(
    SeenGate,
    st.none() | some_uids,
    st.dictionaries(st.sampled_from(VERSIONS), st.none() | st.sampled_from(KEYS)),
    st.none() | st.sampled_from(VERSIONS),
)
seen_places = st.builds(
    SeenPlace,
    st.just(True),
    st.dictionaries(st.sampled_from(NAMES), seen_gates),
    st.frozensets(st.sampled_from(NAMES)),
) | st.just(SeenPlace(False))
states = st.builds(
    Seen,
    st.dictionaries(st.sampled_from(KEYS), st.booleans()),
    st.fixed_dictionaries({HOST: seen_places.filter(lambda place: place.ready), PLACES[1]: seen_places}),
)
gates = st.builds(
    lambda uids, versions: Gate(uids, {v: source(v).key for v in versions}, max(versions)),
    some_uids.filter(bool),
    st.sets(st.sampled_from(VERSIONS), min_size=1),
)


@st.composite
def goals(draw: st.DrawFn) -> Wanted:
    places = {place: draw(st.dictionaries(st.sampled_from(NAMES), gates)) for place in PLACES}
    used = {v for place in places.values() for gate in place.values() for v in gate.versions}
    return Wanted({source(v).key: source(v) for v in used}, places)


def enters(seen: Seen) -> set[tuple[str, str, int]]:
    """Who can go through which gate."""
    return {
        (place, name, uid)
        for place, there in seen.places.items()
        for name, gate in there.gates.items()
        for uid in gate.uids or ()
    }


@given(states, goals(), st.integers(0, 60))
def test_from_any_state_and_broken_off_anywhere_the_plan_reaches_its_goal(seen: Seen, goal: Wanted, stop: int) -> None:
    allowed = {(p, n, u) for p, there in goal.places.items() for n, gate in there.items() for u in gate.uids}
    before = enters(seen)
    for step in plan(goal, seen)[:stop]:
        seen = do(seen, step)
        assert enters(seen) <= allowed | before  # at no moment anybody more
    for step in plan(goal, seen):
        seen = do(seen, step)
    assert plan(goal, seen) == []
    assert enters(seen) == allowed
    assert set(seen.bases) == set(goal.bases)


@given(states, goals())
def test_who_loses_a_dataset_loses_it_before_anything_else_is_done(seen: Seen, goal: Wanted) -> None:
    allowed = {(p, n, u) for p, there in goal.places.items() for n, gate in there.items() for u in gate.uids}
    steps = plan(goal, seen)
    while steps and steps[0].kind == "readers":
        seen = do(seen, steps.pop(0))
    assert enters(seen) <= allowed


def job(uid: int, *names: str, until: float | None = None, number: int = 7) -> Job:
    opened = {name: Opened("1", "0" * 64, NOW - 9, until) for name in names}
    return Job("gpu1", number, uid, "proteins", 1, "boot", opened)


GRANTS = Grants(
    1,
    {"wind": Dataset("restricted", "1", {"1": source("1")})},
    {"wind": (Grant("proteins", frozenset({1001}), None),)},
)


def test_a_base_stays_while_a_job_that_may_read_it_can_have_files_of_it_open_and_is_then_cut_off() -> None:
    key = source("1").key
    seen = Seen({key: True}, {HOST: SeenPlace()})
    dropped = replace(job(1001), held={"wind": (key,)})
    for grants, steps in ((GRANTS, []), (None, []), (replace(GRANTS, grants={}), [Action("cut_base", key=key)])):
        goal = wanted([dropped], grants, {dropped.stem: HOST}, seen, NOW)
        assert goal.places[HOST] == {}
        assert plan(goal, seen) == steps
    assert plan(wanted([], GRANTS, {}, seen, NOW), seen) == [Action("cut_base", key=key)]


def test_a_non_public_image_is_one_for_each_reader_where_jobs_see_mounts_of_their_own() -> None:
    grants = replace(GRANTS, datasets={"wind": Dataset("non-public", "1", {"1": source("1")})})
    one = job(1001, "wind")
    for place, key in ((HOST, source("1").key), ("/ns/7", f"{source('1').key}-1001")):
        goal = wanted([one], grants, {one.stem: place}, Seen({}, {place: SeenPlace()}), NOW)
        assert goal.places[place]["wind"].versions == {"1": key}
        assert set(goal.bases) == {key}


def test_a_gate_is_for_those_who_asked_and_may() -> None:
    jobs = [job(1001, "wind"), job(1002, "wind", number=8), job(1001, number=9)]
    goal = wanted(jobs, GRANTS, {one.stem: HOST for one in jobs}, Seen({}, {HOST: SeenPlace()}), NOW)
    assert goal.places[HOST]["wind"].uids == {1001}
    assert goal.bases == {source("1").key: source("1")}


def test_while_the_grants_cannot_be_read_what_is_open_stays_until_its_own_end() -> None:
    shown = SeenGate(frozenset({1001, 1002}), {"1": KEYS[0]}, "1")
    seen = Seen({KEYS[0]: True}, {HOST: SeenPlace(True, {"wind": shown}, frozenset({"wind"}))})
    jobs = [job(1001, "wind", until=NOW + 1), job(1002, "wind", until=NOW, number=8), job(1003, "maps", number=9)]
    goal = wanted(jobs, None, {one.stem: HOST for one in jobs}, seen, NOW)
    assert plan(goal, seen) == [Action("readers", HOST, "wind", uids=frozenset({1001}))]
