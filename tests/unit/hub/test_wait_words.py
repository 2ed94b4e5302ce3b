"""What the waiting page's script says of times, steps and addresses, by Node as browsers do."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

from fabric_hub.hub.configuration import STATIC

WORDS = {
    "title": "({time}) {heading}", "hours": "{hours} h {minutes} min", "minutes": "{minutes} min",
    "seconds": "{seconds} s", "place": "number {place}, {time}", "waited": "waited {time}",
}  # fmt: skip
CALLS = """
const words = require(process.argv[1]);
console.log(JSON.stringify(JSON.parse(process.argv[2]).map(([name, ...rest]) => words[name](...rest))));
"""


def said(*calls: tuple[Any, ...]) -> list[Any]:
    node = shutil.which("node")
    assert node, "the proxy needs Node, too"
    arguments = [node, "-e", CALLS, str(STATIC / "wait_words.js"), json.dumps(calls)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True)
    told: list[Any] = json.loads(done.stdout)
    return told


def test_a_wait_is_said_briefly_and_first_in_the_title() -> None:
    assert said(("brief", 40.9, WORDS), ("brief", -1, WORDS), ("brief", 720, WORDS), ("brief", 3900, WORDS)) == [
        "40 s", "0 s", "12 min", "1 h 05 min",
    ]  # fmt: skip
    assert said(
        ("title", "Waiting", 2520, 0, WORDS), ("title", "Waiting", 30, 0, WORDS), ("title", "Waiting", None, 0, WORDS)
    ) == ["(42 min) Waiting", "Waiting", "Waiting"]


def test_each_step_is_done_now_to_come_or_where_it_went_wrong() -> None:
    steps = [0, 20, 50, 60]
    assert said(("states", steps, 10, False), ("states", steps, 20, False), ("states", steps, 90, False)) == [
        ["now", "later", "later", "later"], ["done", "now", "later", "later"], ["done", "done", "done", "now"],
    ]  # fmt: skip
    assert said(("states", steps, 60, True)) == [["done", "done", "done", "wrong"]]


def test_a_start_is_given_up_without_a_question_in_its_first_minute() -> None:
    assert said(("question", 59, 2, WORDS), ("question", 61, 2, WORDS), ("question", 61, None, WORDS)) == [
        None, "number 3, 1 min", "waited 1 min",
    ]  # fmt: skip


def test_a_form_keeps_where_the_link_led() -> None:
    assert said(("address", "/hub/spawn/jan", "/user/jan/lab?x=1&y"), ("address", "/x", "")) == [
        "/hub/spawn/jan?next=%2Fuser%2Fjan%2Flab%3Fx%3D1%26y", "/x",
    ]  # fmt: skip
