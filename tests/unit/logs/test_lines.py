"""The lines of all logs: one record is one line, without secrets, and not again and again."""

from __future__ import annotations

import io
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_hub.errors import FabricError
from fabric_hub.logs import lines
from fabric_hub.messages.texts import service as texts

HEAD = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (?:DEBUG|INFO|WARNING|ERROR|CRITICAL) gateway\[[a-z0-9.-]+\] "
)
TOKEN = "0123456789abcdef0123456789abcdef"


class Log:
    """A logger of its own, and what it has written."""

    def __init__(self, as_json: bool = False, window_s: float = 60.0) -> None:
        self.stream = io.StringIO()
        self.handler = lines.LineHandler(self.stream, window_s)
        self.handler.setFormatter(lines.Lines("gateway", as_json))
        self.logger = logging.Logger("fabric_hub.gateway.x")
        self.logger.addHandler(self.handler)

    @property
    def written(self) -> list[str]:
        return self.stream.getvalue().split("\n")[:-1]


@pytest.fixture
def log() -> Iterator[Log]:
    made = Log()
    yield made
    made.handler.close()


def test_a_line_has_time_level_daemon_code_message_and_keys(log: Log) -> None:
    log.logger.warning("Slurm is silent", extra={"code": "slurm-silent", "fields": {"age_s": 12, "node": "gpu 1"}})
    [line] = log.written
    assert HEAD.match(line)
    assert line.endswith(' WARNING gateway[slurm-silent] Slurm is silent age_s=12 node="gpu 1"')


def test_the_code_is_that_of_the_error_among_the_arguments(log: Log) -> None:
    log.logger.warning("Refused: %s", FabricError(texts.NO_TOKEN()))
    log.logger.warning("Refused: %s", FabricError("It is full.", reason="disk"))
    log.logger.warning("Refused: %s", ValueError("x"))
    assert [re.findall(r"gateway\[(.*?)\]", line)[0] for line in log.written] == [texts.NO_TOKEN.code, "disk", "-"]


def test_a_text_that_has_its_code_before_it_gives_it_to_the_line(log: Log) -> None:
    log.logger.warning("Session %s is over: %s", "7f3a", "[slurm-controller-silent, x-y] Slurm is silent.")
    log.logger.warning("A name: %s", "[not a code] x")
    assert [re.findall(r"gateway\[(.*?)\]", line)[0] for line in log.written] == ["slurm-controller-silent", "-"]


def test_json_has_the_same_in_fields() -> None:
    log = Log(as_json=True)
    log.logger.error("It failed\nhere", extra={"code": "x-y", "fields": {"status": 500, "path": "/a", "message": "no"}})
    [line] = log.written
    told = json.loads(line)
    assert re.fullmatch(r"\d{4}-.*Z", told.pop("time"))
    assert told == {
        "level": "ERROR", "daemon": "gateway", "code": "x-y", "message": "It failed\nhere",
        "logger": "fabric_hub.gateway.x", "status": 500, "path": "/a",
    }  # fmt: skip


@given(text=st.text(), as_json=st.booleans())
def test_what_a_user_types_makes_no_second_line_and_no_escape_sequence(text: str, as_json: bool) -> None:
    log = Log(as_json)
    log.logger.info("A name: %s", text, extra={"fields": {"name": text}})
    written = log.stream.getvalue()
    assert len((written[:-1] + ".").splitlines()) == 1
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in written[:-1])
    assert written.encode("utf-8")


def test_a_forged_line_is_a_part_of_the_line_that_it_is_in(log: Log) -> None:
    log.logger.info("No such user: %s", "x\n2026-01-01T00:00:00.000Z INFO gateway[-] root logged in\x1b[2J")
    [line] = log.written
    assert r"x\n2026-01-01T00:00:00.000Z INFO gateway[-] root logged in\x1b[2J" in line


def test_a_value_cannot_become_a_key(log: Log) -> None:
    log.logger.info("request", extra={"fields": {"path": '/a client=10.0.0.1" status=200', "client": "192.0.2.1"}})
    assert log.written[0].endswith('request path="/a client=10.0.0.1\\" status=200" client=192.0.2.1')


def test_the_lines_of_a_traceback_stand_after_a_bar_also_where_its_message_forges_one(log: Log) -> None:
    try:
        raise ValueError("x\n2026-01-01T00:00:00.000Z INFO gateway[-] all is well")
    except ValueError:
        log.logger.exception("It failed")
    first, *rest = log.written
    assert HEAD.match(first)
    assert len(rest) > 3
    assert all(line.startswith("  | ") for line in rest)


@pytest.mark.parametrize(
    "text",
    [
        f"GET /hub/login?next=%2Fhub&token={TOKEN}",
        f"/hub/oauth_callback?code={TOKEN}&state={TOKEN}",
        f"Location: /hub/login?next=%2Fuser%2Fjan%3Ftoken%3D{TOKEN}",
        f"/hub/api/authorizations/token/{TOKEN}",
        f"/hub/api/authorizations/cookie/jupyterhub-session/{TOKEN}",
        f"{{'Authorization': 'token {TOKEN}', 'Host': 'x'}}",
        f"Authorization: Bearer {TOKEN}",
        f"Authorization: Basic {TOKEN}",
        f'"Cookie": "jupyterhub-session-id=a; _xsrf={TOKEN}"',
        f"postgresql://fabric:{TOKEN}@db.example.org/hub",
        f"password={TOKEN}",
        f"JUPYTERHUB_API_TOKEN={TOKEN}",
        f"?_xsrf={TOKEN}",
        f"/services/x?api_key={TOKEN}#end",
    ],
)
def test_secrets_are_hidden(log: Log, text: str) -> None:
    log.logger.warning("It was %s", text, extra={"fields": {"uri": text, "token": TOKEN}})
    try:
        raise RuntimeError(text)
    except RuntimeError:
        log.logger.exception("It failed")
    written = log.stream.getvalue()
    assert TOKEN not in written
    assert lines.HIDDEN in written


def _seconds(work: Callable[[], object]) -> float:
    """The processor's time for it, the shortest of three."""
    took = []
    for _ in range(3):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took)


@pytest.mark.parametrize(
    "part",
    [
        ";key", "?token", "token ", "token=", "cookie:", "://a:", "/authorizations/token/", "%3f", ".", " ", '"', "key",
        "state-", "?a=%3Fcode",
    ],
)  # fmt: skip
def test_looking_for_secrets_takes_no_longer_than_a_line_is_long(part: str) -> None:
    # what a visitor sends stands in the hub's log: a quadratic search stops the whole hub for as long as it takes
    short, long = (f"/hub/;{part * (size // len(part))}" for size in (4_000, 64_000))
    assert _seconds(lambda: lines.hidden(long)) < 16 * 8 * max(_seconds(lambda: lines.hidden(short)), 0.0002)


@pytest.mark.parametrize(
    "text",
    [
        "the token of session abc stands", "the project's budget is used up", "state=RUNNING reason=Resources",
        "1 session in 0.3 s: fabric-main-abcdefgh2345", "/hub/home?page=2", "the code is slurm-silent",
    ],
)  # fmt: skip
def test_what_is_no_secret_stays(text: str) -> None:
    assert lines.hidden(text) == text


def test_a_line_that_is_repeated_is_counted(log: Log) -> None:
    for _ in range(215):
        log.logger.warning("Slurm is silent: %s", "down")
    log.logger.warning("Slurm is silent: %s", "refused")
    assert len(log.written) == 2
    log.handler.close()
    assert len(log.written) == 3
    assert re.search(r"WARNING gateway\[-\] repeated 214 times in 60 s: Slurm is silent: down$", log.written[2])


def test_a_message_that_does_not_fit_its_arguments_breaks_nobody(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    log.logger.warning("%d hubs", "two")
    log.logger.warning("the next")
    assert len(log.written) == 1
    assert "two" in capsys.readouterr().err


def test_requests_are_the_same_line_however_long_they_took(log: Log) -> None:
    for took in (1.5, 2.5):
        log.logger.info("request", extra={"fields": {"path": "/", "client": "192.0.2.1", "ms": took}})
    log.logger.info("request", extra={"fields": {"path": "/", "client": "192.0.2.2", "ms": 1}})
    assert len(log.written) == 2


def test_a_storm_that_is_over_is_told_of_without_another_line() -> None:
    log = Log(window_s=0.05)
    told = threading.Event()
    write = log.stream.write

    def watched(text: str) -> int:
        if "repeated" in text:
            told.set()
        return write(text)

    log.stream.write = watched  # type: ignore[method-assign]
    for _ in range(5):
        log.logger.warning("again")
    assert told.wait(60)
    count = sum(int(match[1]) if (match := re.search(r"repeated (\d+) times", line)) else 1 for line in log.written)
    log.handler.close()
    assert count <= 5


def test_the_count_begins_anew_after_a_window() -> None:
    repeats = lines.Repeats(60, most=10)
    assert [repeats.take("a", "A", now) for now in (0, 1, 59)] == [True, False, False]
    assert repeats.due(59) == []
    assert repeats.due(60) == [("A", 2, 60)]
    assert repeats.take("a", "A", 61)
    assert repeats.waits_s(61) is None


def test_many_different_lines_take_no_more_memory_and_no_count_is_lost() -> None:
    repeats = lines.Repeats(60, most=10)
    repeats.take("first", "first", 0)
    repeats.take("first", "first", 1)
    told = []
    for number in range(1000):
        told += repeats.due(2)
        repeats.take(number, number, 2)
    assert told == [("first", 1, 2)]
    assert len(repeats._seen) <= 11


def test_the_agents_copy_is_the_same_file() -> None:
    root = Path(__file__).parents[3]
    ours, agents = (root / name for name in ("fabric_hub/logs/lines.py", "fabric_node/log_lines.py"))
    assert ours.read_text() == agents.read_text(), f"copy {ours} to {agents}"
