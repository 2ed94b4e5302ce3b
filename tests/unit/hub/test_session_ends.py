"""What the list of sessions says of one that has ended: when and why, in few words where there are few."""

from __future__ import annotations

import pytest

from fabric_hub.hub.pages.cards import in_short
from fabric_hub.messages.text import Text, sentences, verbatim
from fabric_hub.slurm.reasons import explain
from tests.support.builders import a_job

AT = 1_767_614_400.0


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("TIMEOUT", " · time limit reached (6 min)"),
        ("OUT_OF_MEMORY", " · out of memory: choose a profile with more memory"),
        ("PREEMPTED", " · preempted by a higher-priority job"),
        ("NODE_FAIL", " · node gpu1 broke down"),
    ],
)
@pytest.mark.parametrize("more", [None, verbatim("Start again when you like.")])
def test_what_slurm_says_of_an_end_is_a_few_words(state: str, words: str, more: Text | None) -> None:
    short = in_short(sentences(explain(a_job(state=state, limit_s=360, node="gpu1")), more), AT)
    assert short is not None
    assert str(short).startswith("Ended 05 Jan ")
    assert str(short).endswith(words)


def test_of_other_ends_the_whole_is_told() -> None:
    assert in_short(explain(a_job(state="FAILED", exit_status=1)), AT) is None
    assert in_short(None, AT) is None
