"""The web servers' files in packaging/ pass on what hub and sessions need, and nothing that a visitor makes up."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import tornado.httpserver
import tornado.netutil
import tornado.web
import tornado.websocket
import websocket
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.server_thread import ServerThread
from tests.support.waiting import until

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

PACKAGING = Path(__file__).parents[2] / "packaging"
NAME = "hub.example.org"
NGINX = """\
daemon off; pid {run}/pid; error_log {run}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {run}; proxy_temp_path {run}; fastcgi_temp_path {run}; uwsgi_temp_path {run};
    scgi_temp_path {run};
    include {file};
}}
"""
APACHE = """\
ServerRoot {run}
PidFile {run}/pid
ErrorLog {run}/error.log
ServerName localhost
{modules}
Listen 127.0.0.1:{plain}
Listen 127.0.0.1:{tls}
Include {file}
"""
MODULES = ("mpm_event", "authz_core", "ssl", "socache_shmcb", "proxy", "proxy_http", "headers", "rewrite", "unixd")
APACHE_MODULES = Path("/usr/lib/apache2/modules")


class Echo(tornado.web.RequestHandler):
    """Says what it was asked."""

    def get(self) -> None:
        self.write({"uri": self.request.uri, **{name.lower(): text for name, text in self.request.headers.items()}})

    def put(self) -> None:
        self.write({"length": len(self.request.body)})


class Drip(tornado.web.RequestHandler):
    """Says one line and then waits until it is asked for elsewhere: who buffers shows nothing of it."""

    said: asyncio.Event

    async def get(self) -> None:
        self.write("data: first\n\n")
        await self.flush()
        await self.said.wait()
        self.finish("data: last\n\n")


class Go(tornado.web.RequestHandler):
    def post(self) -> None:
        Drip.said.set()


class Line(tornado.websocket.WebSocketHandler):
    def check_origin(self, origin: str) -> bool:
        return True

    def on_message(self, message: str | bytes) -> None:
        self.write_message(message, isinstance(message, bytes))


class Upstream(ServerThread):
    """What stands where the hub's proxy does."""

    def __init__(self) -> None:
        super().__init__("upstream")
        self.port = 0

    async def serve(self, stop: asyncio.Event, ready: asyncio.Event) -> None:
        Drip.said = asyncio.Event()
        routes = [("/drip", Drip), ("/go", Go), ("/line", Line), (".*", Echo)]
        server = tornado.httpserver.HTTPServer(tornado.web.Application(routes), max_buffer_size=200 << 20)
        (listener,) = tornado.netutil.bind_sockets(0, "127.0.0.1")
        server.add_sockets([listener])
        self.port = listener.getsockname()[1]
        ready.set()
        await stop.wait()
        server.stop()
        await server.close_all_connections()


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    server.up()
    yield server
    server.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with fullchain.pem and key.pem for the example's names."""
    place = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME), x509.DNSName(f"*.{NAME}")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (place / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (place / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return place


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def as_it_is(text: str, upstream: int, plain: int, tls: int, certificate: Path) -> str:
    """A file of packaging/, with this machine's ports and paths."""
    changes = {
        r"127\.0\.0\.1:8000/": f"127.0.0.1:{upstream}/",
        r"127\.0\.0\.1:8000;": f"127.0.0.1:{upstream};",
        r"/etc/ssl/fabric-hub": str(certificate),
        r"listen \[::\]:.*": "",
        r"listen 80;": f"listen 127.0.0.1:{plain};",
        r"listen 443 ssl;": f"listen 127.0.0.1:{tls} ssl;",
        r"\*:80>": f"127.0.0.1:{plain}>",
        r"\*:443>": f"127.0.0.1:{tls}>",
    }
    for old, new in changes.items():
        text = re.sub(old, new, text)
    assert "8000/" not in text.replace(f":{upstream}", "")
    return text


@pytest.fixture(scope="module", params=["nginx", "apache"])
def server(
    request: pytest.FixtureRequest, upstream: Upstream, certificate: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[int, int]]:
    """The web server with its file from packaging/; its plain port and the one with TLS."""
    run = tmp_path_factory.mktemp(request.param)
    plain, tls = free_port(), free_port()
    file = run / "fabric-hub.conf"
    text = (PACKAGING / request.param / "fabric-hub.conf").read_text()
    file.write_text(as_it_is(text, upstream.port, plain, tls, certificate))
    program = shutil.which({"nginx": "nginx", "apache": "apache2"}[request.param], path="/usr/sbin:/usr/bin")
    if not program:
        pytest.skip(f"{request.param} is not installed")
    main = run / "main.conf"
    if request.param == "nginx":
        main.write_text(("user root;\n" if os.geteuid() == 0 else "") + NGINX.format(run=run, file=file))
        argv = [program, "-c", str(main), "-e", str(run / "error.log")]
    else:
        loaded = [f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so" for name in MODULES]
        who = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
        modules = "\n".join(line for line in loaded if Path(line.split()[-1]).exists())
        main.write_text(who + APACHE.format(run=run, file=file, modules=modules, plain=plain, tls=tls))
        argv = [program, "-f", str(main), "-DFOREGROUND"]
    with (run / "output").open("w") as output, subprocess.Popen(argv, stdout=output, stderr=output) as process:

        def answers() -> bool:
            assert process.poll() is None, (run / "output").read_text() + (run / "error.log").read_text()
            with socket.socket() as line:
                return line.connect_ex(("127.0.0.1", tls)) == 0

        try:
            until(answers, f"{request.param} answers", 30)
            yield plain, tls
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture
def visitor(server: tuple[int, int], certificate: Path) -> Iterator[httpx.Client]:
    """Somebody at the site's address, which believes its certificate only."""
    _, tls = server
    context = ssl.create_default_context(cafile=certificate / "fullchain.pem")
    with httpx.Client(base_url=f"https://127.0.0.1:{tls}", verify=context, headers={"Host": NAME}) as client:
        yield client


def ask(visitor: httpx.Client, method: str, path: str, **more: object) -> httpx.Response:
    return visitor.request(method, path, extensions={"sni_hostname": NAME}, timeout=60, **more)  # type: ignore[arg-type]


def test_the_hub_learns_the_visitors_own_address_whatever_the_visitor_says(visitor: httpx.Client) -> None:
    forged = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "for=203.0.113.9",
    }
    told = ask(visitor, "GET", "/hub/home?a=%2Fb", headers=forged).json()
    assert told["x-forwarded-for"] == "127.0.0.1"
    assert told["x-forwarded-proto"] == "https"
    assert "evil.example" not in str(told)
    assert "203.0.113.9" not in str(told)
    assert told["host"] == NAME
    assert told["uri"] == "/hub/home?a=%2Fb"


def test_a_name_with_an_escaped_slash_and_a_users_own_host_arrive_as_they_are(visitor: httpx.Client) -> None:
    told = ask(visitor, "GET", "/user/ann/files/a%2Fb%20c.txt", headers={"Host": f"ann.{NAME}"}).json()
    assert told["uri"] == "/user/ann/files/a%2Fb%20c.txt"
    assert told["host"] == f"ann.{NAME}"


def test_a_large_upload_passes(visitor: httpx.Client) -> None:
    size = 50 << 20
    assert ask(visitor, "PUT", "/user/ann/api/contents/x", content=bytes(size)).json() == {"length": size}


def test_what_is_said_bit_by_bit_is_seen_as_it_is_said(visitor: httpx.Client) -> None:
    with visitor.stream("GET", "/drip", extensions={"sni_hostname": NAME}, timeout=60) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "data: first"
        assert ask(visitor, "POST", "/go").status_code == 200
        assert "data: last" in list(lines)


def test_a_kernels_line_is_carried(server: tuple[int, int], certificate: Path) -> None:
    line = websocket.create_connection(
        f"wss://127.0.0.1:{server[1]}/line",
        timeout=60,
        host=NAME,
        sslopt={"ca_certs": str(certificate / "fullchain.pem"), "server_hostname": NAME},
    )
    for sent in ("words", "x" * 300_000):
        line.send(sent)
        assert line.recv() == sent
    line.close()


def test_who_comes_without_tls_is_sent_to_the_same_page_with_it(server: tuple[int, int]) -> None:
    answer = httpx.get(f"http://127.0.0.1:{server[0]}/hub/home?a=b", headers={"Host": NAME}, timeout=60)
    assert (answer.status_code, answer.headers["location"]) == (308, f"https://{NAME}/hub/home?a=b")
