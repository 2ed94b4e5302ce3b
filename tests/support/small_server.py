"""A session's server that starts in a tenth of a second: twenty real Jupyter servers are too many for two cores.

The faults' site offers it as image ``tiny``: this file is that image's ``bin/python``, and Slurm runs it
with the launcher's own arguments. It does what the launcher does, with the standard library only: takes
``env.json`` and removes it, serves with the session's certificates, and announces its port to the hub's service.
It is this one file, so it has a server of its own beside the tests' (:mod:`.http_server`).
"""

import argparse
import http.server
import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any


class Answer(http.server.BaseHTTPRequestHandler):
    """Says which session answers, to whoever the hub's authority knows."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer every path."""
        body = json.dumps({"session": os.environ["FABRIC_SESSION"], "path": self.path}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Keep the session's log short."""


class Server(http.server.ThreadingHTTPServer):
    """HTTPS whose handshake happens in the connection's own thread."""

    daemon_threads = True
    context: ssl.SSLContext

    def get_request(self) -> tuple[ssl.SSLSocket, Any]:
        """Wrap a connection in TLS."""
        connection, address = super().get_request()
        connection.settimeout(20)
        return self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, *_args: object) -> None:
        """A client that goes away is no news."""


def announce(port: int, files: dict[str, str]) -> None:
    """Tell the service the port until it takes it; a final refusal ends the job."""
    trust = ssl.create_default_context(cafile=files["CLIENT_CA"])
    trust.load_cert_chain(files["CERTFILE"], files["KEYFILE"])
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
    while True:
        request = urllib.request.Request(
            os.environ["FABRIC_SERVICE_URL"] + "/session/ready",
            json.dumps({"port": port}).encode(),
            {"Authorization": f"token {os.environ['JUPYTERHUB_API_TOKEN']}", "Content-Type": "application/json"},
        )
        try:
            opener.open(request, timeout=60).close()
            return
        except urllib.error.HTTPError as error:
            print(f"The hub's service answered {error.code}.", flush=True)
            if error.code in (401, 403, 410):
                sys.exit(1)
        except OSError as error:
            print(f"The hub's service does not answer: {error}", flush=True)
        time.sleep(0.5)


def main() -> None:
    """Be a session until somebody ends the job."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-I", action="store_true")
    parser.add_argument("-m", required=True)
    parser.add_argument("--session-dir", type=Path, required=True)
    directory = parser.parse_args().session_dir
    private = directory / "env.json"
    os.environ.update(json.loads(private.read_text())["environment"])
    private.unlink()
    kinds = ("KEYFILE", "CERTFILE", "CLIENT_CA")
    files = {kind: str(directory / os.environ[f"JUPYTERHUB_SSL_{kind}"]) for kind in kinds}
    Server.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=files["CLIENT_CA"])
    Server.context.load_cert_chain(files["CERTFILE"], files["KEYFILE"])
    Server.context.verify_mode = ssl.CERT_REQUIRED
    server = Server(("127.0.0.1", 0), Answer)
    announce(server.server_address[1], files)
    server.serve_forever()


if __name__ == "__main__":
    main()
