"""What stands before a hub on a booted machine: its certificate, an OpenID provider, and a browser that reaches it."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser, sync_playwright

from .booted_machine import ADDRESS, BootedMachine
from .certificates import Authority
from .chromium import QUIET
from .waiting import until

HUB, SSO = "hub.example.org", "sso.example.org"
REALM = f"https://{SSO}/realms/hpc"
PROVIDER = Path(__file__).parents[1] / "install/provider/provider.mjs"
MODULES = Path(sys.prefix) / "share/fabric-hub/browser-tests/node_modules"
_PORT = 9300
_NGINX = f"""\
server {{
    listen 443 ssl;
    server_name {SSO};
    ssl_certificate /etc/ssl/fabric-hub/fullchain.pem;
    ssl_certificate_key /etc/ssl/fabric-hub/key.pem;
    location / {{
        proxy_pass http://127.0.0.1:{_PORT};
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
    }}
}}
"""


def certify(root: Path, work: Path) -> Path:
    """Give a machine the certificate of its web server, and the authority that it believes; the certificate.

    :param root: the machine's directory.
    :param work: a directory to make.
    """
    authority = Authority(work, ADDRESS)
    certificate, key = authority.issue("web", HUB, f"*.{HUB}", SSO)
    place = root / "etc/ssl/fabric-hub"
    place.mkdir(mode=0o755)
    (place / "fullchain.pem").write_bytes(certificate.read_bytes() + authority.certificate.read_bytes())
    (place / "key.pem").write_bytes(key.read_bytes())
    (place / "key.pem").chmod(0o600)
    own = root / "usr/local/share/ca-certificates"
    own.mkdir(parents=True, exist_ok=True)
    (own / "site.crt").write_bytes(authority.certificate.read_bytes())
    hosts = root / "etc/hosts"
    hosts.write_text(f"{hosts.read_text()}{ADDRESS} {HUB} {SSO}\n")
    return certificate


def shown() -> dict[str, Path]:
    """What a machine has to be shown to run the provider."""
    if not MODULES.joinpath("oidc-provider").is_dir():
        pytest.skip("oidc-provider is not installed: make setup-dev")
    return {"/srv/sso/provider.mjs": PROVIDER, "/srv/sso/node_modules": MODULES}


class Provider:
    """The institution's OpenID provider, at Keycloak's addresses, as a unit of the machine behind its nginx."""

    def __init__(self, machine: BootedMachine, *people: str) -> None:
        self._machine = machine
        self.secret = secrets.token_urlsafe(32)
        self.passwords = {name: secrets.token_urlsafe(12) for name in people}

    def start(self, node: str) -> None:
        """Returns when its discovery document is served by HTTPS.

        :param node: Node.js on the machine.
        """
        file = self._machine.root / "etc/sso.json"
        file.touch(0o600)
        file.write_text(
            json.dumps(
                {
                    "issuer": REALM,
                    "port": _PORT,
                    "client": "fabric-hub",
                    "secret": self.secret,
                    "callback": f"https://{HUB}/hub/oauth_callback",
                    "people": self.passwords,
                }
            )
        )
        (self._machine.root / "etc/nginx/conf.d/sso.conf").write_text(_NGINX)
        options = "--preserve-symlinks --preserve-symlinks-main"
        self._machine.do(
            "update-ca-certificates\nsystemctl reload-or-restart nginx\n"
            f"systemd-run --unit=sso {node} {options} /srv/sso/provider.mjs /etc/sso.json"
        )
        until(
            lambda: self._machine.run(f"curl --silent --fail {REALM}/.well-known/openid-configuration").returncode == 0,
            "the provider answers",
            60,
            0.5,
            seen=lambda: self._machine.run("journalctl --no-pager --lines=30 --unit=sso --unit=nginx").stdout,
        )

    def discovered(self) -> dict[str, object]:
        """The discovery document."""
        found: dict[str, object] = json.loads(
            self._machine.do(f"curl --silent --fail {REALM}/.well-known/openid-configuration")
        )
        return found


@contextmanager
def chromium(machine: BootedMachine, certificate: Path, work: Path) -> Iterator[Browser]:
    """A browser in the machine's network, for which all of example.org is there, and this certificate's key good."""
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    arguments = [
        *QUIET,
        f"--host-resolver-rules=MAP *.example.org {ADDRESS}",
        f"--ignore-certificate-errors-spki-list={base64.b64encode(digest).decode()}",
    ]
    program = machine.in_its_network("/usr/bin/chromium", work / "chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()
