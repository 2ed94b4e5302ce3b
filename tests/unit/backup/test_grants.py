"""Which grants a restore leaves open: the newest source decides, and what only the backup knows stays shut."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabric_hub.backup.grants import (
    BackupState,
    Fate,
    LogEvidence,
    Publication,
    Said,
    Word,
    decide,
)
from fabric_hub.datasets.model import Access, Grant

ACCOUNTS = {"physics": "phys", "maths": "maths", "chemistry": "shared", "biology": "shared"}
DATASETS = {"wind": Access.RESTRICTED, "patients": Access.NON_PUBLIC, "maps": Access.PUBLIC}
PAIRS = [(dataset, project) for dataset in DATASETS for project in ACCOUNTS]
times = st.floats(1.0, 100.0, allow_nan=False)


def a_grant(dataset: str = "wind", project: str = "physics", at: float = 1.0) -> Grant:
    return Grant(dataset=dataset, project=project, at=at)


def fates(*sources: Any, grants: tuple[Grant, ...] = (a_grant(),), at: float = 10.0) -> dict[str, Fate]:
    backup = BackupState(at=at, grants=grants, access=DATASETS, offered=frozenset(DATASETS))
    decided = decide(backup, ACCOUNTS, *sources)
    return {f"{one.grant.dataset}:{one.grant.project}": one.fate for one in decided.grants}


def a_log(*words: Word, at: float = 50.0, whole: bool = True) -> LogEvidence:
    return LogEvidence(at=at, whole=whole, words=words)


def test_what_only_the_backup_knows_stays_shut() -> None:
    assert fates() == {"wind:physics": Fate.SHUT}
    assert fates(Publication(at=20.0)) == {"wind:physics": Fate.SHUT}
    assert fates(None, a_log()) == {"wind:physics": Fate.SHUT}


def test_of_public_data_a_grant_that_nobody_revoked_is_kept() -> None:
    assert fates(grants=(a_grant("maps"),)) == {"maps:physics": Fate.KEPT}


def test_a_grant_that_the_nodes_were_told_of_is_kept() -> None:
    assert fates(Publication(at=20.0, listed=(("wind", "phys"),))) == {"wind:physics": Fate.KEPT}


@pytest.mark.parametrize("whole", [True, False])
def test_what_was_revoked_since_is_not_brought_back_whatever_the_nodes_were_told(whole: bool) -> None:
    revoked = a_log(Word(said=Said.REVOKED, grant=a_grant(at=40.0)), whole=whole)
    assert fates(Publication(at=30.0, listed=(("wind", "phys"),)), revoked) == {"wind:physics": Fate.REVOKED}


def test_a_grant_that_came_after_the_backup_is_in_force_as_the_log_says() -> None:
    granted = a_log(Word(said=Said.GRANTED, grant=a_grant(project="maths", at=40.0)))
    assert fates(None, granted, grants=()) == {"wind:maths": Fate.KEPT}


def test_a_copy_of_the_log_that_ends_before_what_the_nodes_were_told_opens_nothing_that_they_were_not() -> None:
    copy = a_log(Word(said=Said.GRANTED, grant=a_grant()), at=20.0, whole=False)
    assert fates(Publication(at=30.0), copy) == {"wind:physics": Fate.SHUT}
    assert fates(Publication(at=15.0), copy) == {"wind:physics": Fate.KEPT}


def test_a_grant_that_is_newer_than_a_copy_of_the_log_is_not_taken_for_revoked_but_stays_shut() -> None:
    copy = a_log(Word(said=Said.REVOKED, grant=a_grant(at=4.0)), at=5.0, whole=False)
    assert fates(None, copy, grants=(a_grant(at=8.0),)) == {"wind:physics": Fate.SHUT}


def test_what_an_earlier_restore_shut_stays_shut() -> None:
    held = a_log(Word(said=Said.HELD, grant=a_grant(at=40.0)))
    assert fates(Publication(at=60.0, listed=(("wind", "phys"),)), held) == {"wind:physics": Fate.SHUT}


def test_of_projects_with_one_account_each_is_told_of_only_where_all_are() -> None:
    both = (a_grant(project="chemistry"), a_grant(project="biology"))
    one = Publication(at=20.0, listed=(("wind", "shared"),))
    two = Publication(at=20.0, listed=(("wind", "shared"), ("wind", "shared")))
    assert set(fates(one, grants=both).values()) == {Fate.SHUT}
    assert set(fates(two, grants=both).values()) == {Fate.KEPT}


def test_a_dataset_that_was_retired_or_narrowed_since_is_taken_out_of_use() -> None:
    backup = BackupState(at=10.0, access=DATASETS, offered=frozenset(DATASETS))
    told = Publication(at=20.0, offered={"wind": Access.RESTRICTED, "maps": Access.RESTRICTED})
    assert decide(backup, ACCOUNTS, told).retired == ("maps", "patients")
    older = told.model_copy(update={"at": 5.0})
    assert decide(backup, ACCOUNTS, older).retired == ()
    log = LogEvidence(at=50.0, whole=True, retired=frozenset({"wind"}))
    assert decide(backup, ACCOUNTS, None, log).retired == ("wind",)


@st.composite
def situations(draw: st.DrawFn) -> tuple[BackupState, Publication | None, LogEvidence | None]:
    at = draw(times)
    grants = tuple(
        a_grant(*pair, draw(st.floats(0.5, at))) for pair in draw(st.lists(st.sampled_from(PAIRS), unique=True))
    )
    backup = BackupState(at=at, grants=grants, access=DATASETS, offered=frozenset(DATASETS))
    listed = draw(st.lists(st.sampled_from([(dataset, ACCOUNTS[project]) for dataset, project in PAIRS])))
    published = draw(st.none() | times.map(lambda when: Publication(at=when, listed=tuple(listed))))
    end = draw(times)
    words = tuple(
        Word(said=draw(st.sampled_from(Said)), grant=a_grant(*pair, draw(st.floats(0.5, end))))
        for pair in draw(st.lists(st.sampled_from(PAIRS), unique=True))
    )
    log = draw(st.none() | st.booleans().map(lambda whole: LogEvidence(at=end, whole=whole, words=words)))
    return backup, published, log


@settings(max_examples=60)
@given(situations())
def test_no_restore_opens_what_another_source_does_not_know(
    given: tuple[BackupState, Publication | None, LogEvidence | None],
) -> None:
    backup, published, log = given
    words = {(word.grant.dataset, word.grant.project): word for word in log.words} if log else {}
    decided = decide(backup, ACCOUNTS, published, log)
    pairs = [(one.grant.dataset, one.grant.project) for one in decided.grants]
    assert len(pairs) == len(set(pairs))
    # every grant of the backup has a fate
    assert {(grant.dataset, grant.project) for grant in backup.grants} <= set(pairs)
    for one in decided.of(Fate.KEPT):
        pair = one.dataset, one.project
        word = words.get(pair)
        listed = published is not None and (one.dataset, ACCOUNTS[one.project]) in published.listed
        granted = word is not None and word.said is Said.GRANTED
        assert granted or listed or DATASETS[one.dataset] is Access.PUBLIC
        if log and log.whole and word:
            assert granted  # the site's own log has the last word


@settings(max_examples=60)
@given(situations())
def test_a_newer_revocation_always_wins(
    given: tuple[BackupState, Publication | None, LogEvidence | None],
) -> None:
    backup, published, log = given
    ours = {(grant.dataset, grant.project): grant for grant in backup.grants}
    kept = {(one.dataset, one.project) for one in decide(backup, ACCOUNTS, published, log).of(Fate.KEPT)}
    for word in log.words if log else ():
        pair = word.grant.dataset, word.grant.project
        if word.said is Said.REVOKED and (pair not in ours or word.at >= ours[pair].at):
            assert pair not in kept
