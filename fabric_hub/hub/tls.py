"""Internal TLS: which names stand in the certificates of hub, proxy, service and sessions, and a session's own.

The proxy (Node.js) does not check a server's certificate against the address that it connects to, but against the
name in the request's Host header: the one that people typed. So every certificate behind the proxy names the hosts by
which the hub is called; with a host of its own for each user JupyterHub adds that to the user's sessions, and a
certificate of another user's session is refused there.

JupyterHub's own certificates for sessions (certipy) have an RSA key made for every start: a tenth of a CPU second and
more, during which the hub answers nobody. Sessions get theirs here, with an elliptic-curve key, in a few milliseconds.
Authority, names, uses and places of the files are JupyterHub's.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from certipy import Certipy, CertNotFoundError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fabric_hub.config.hub import HubSettings
from fabric_hub.unix import authorities

# What the name of every user's own host begins with in the hub's certificate. A session's never has it.
ANY_USER = "DNS:*"
# JupyterHub's names for the certificates that it makes once and keeps.
KEPT = authorities.PAIRS
# JupyterHub's name for the authority that signs sessions' certificates.
AUTHORITY = "notebooks-ca"
# Longer than any session: the longest time that a profile may allow is 366 days.
VALID_DAYS = 400
# A certificate of the hub's own that ends within this is made anew when the hub starts; Prometheus warns at 14 days.
RENEWED = timedelta(days=30)
# A node's clock may be behind ours.
EARLIER = timedelta(minutes=10)


# -- names


def alt_name(host: str) -> str:
    """A host as a certificate's subject alternative name: ``IP:...`` or ``DNS:...``."""
    try:
        return f"IP:{ip_address(host)}"
    except ValueError:
        return f"DNS:{host}"


def general_name(name: str) -> x509.GeneralName:
    """A subject alternative name from its text: ``IP:...`` or ``DNS:...``."""
    kind, _, value = name.partition(":")
    if kind == "IP":
        return x509.IPAddress(ip_address(value))
    if kind == "DNS":
        return x509.DNSName(value)
    raise ValueError(f"{name!r} is neither IP:ADDRESS nor DNS:NAME")


def hub_alt_names(hub: HubSettings) -> list[str]:
    """What JupyterHub's certificates name besides localhost: ``IP:...`` and ``DNS:...``."""
    names = dict.fromkeys(alt_name(host) for host in (hub.hub_ip, *hub.hosts))
    if hub.subdomain_host:
        # while a user has no session it is the hub that answers at the user's own host
        names[f"{ANY_USER}.{urlsplit(hub.subdomain_host).hostname}"] = None
    return list(names)


def renew_hub_certificates(store: Path, names: Sequence[str]) -> list[str]:
    """Remove kept certificates that lack a name, or end soon, so that JupyterHub makes them anew; its authorities stay.

    :param store: JupyterHub's ``internal_certs_location``; need not exist yet.
    :returns: what was removed.
    """
    if not (store / "certipy.json").exists():
        return []
    certificates = Certipy(store_dir=str(store)).store
    removed = []
    for name in KEPT:
        try:
            files = certificates.get_record(name)["files"]
        except CertNotFoundError:
            continue
        certificate = Path(files["cert"])
        if not set(map(general_name, names)) <= _names_in(certificate) or _ends_soon(certificate):
            certificates.remove_files(name, delete_dir=True)
            removed.append(name)
    return removed


def _names_in(certificate: Path) -> set[x509.GeneralName]:
    try:
        loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
        return set(loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except (OSError, x509.ExtensionNotFound):
        return set()


def _ends_soon(certificate: Path) -> bool:
    try:
        loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
    except OSError:
        return False
    return loaded.not_valid_after_utc < datetime.now(UTC) + RENEWED


# -- a session's own


def create(store: Path, name: str, alt_names: Sequence[str]) -> tuple[Path, Path]:
    """A new pair, signed by JupyterHub's authority for sessions, which may be a site's own.

    :param store: JupyterHub's ``internal_certs_location``.
    :param name: of the pair and of its files; the pair before it is replaced.
    :param alt_names: where it serves: ``IP:...`` and ``DNS:...``.
    :returns: the files of the key and of the certificate.
    """
    authority = Certipy(store_dir=str(store)).store.get_files(AUTHORITY)
    files = (Path(authority.cert.file_path).read_bytes(), Path(authority.key.file_path).read_bytes())
    return write_pair(store, name, *make_pair(name, alt_names, *files))


@lru_cache(maxsize=1)
def _authority(certificate: bytes, key: bytes) -> tuple[x509.Certificate, Any]:
    # reading an RSA key checks it, which takes longer than all the rest
    return x509.load_pem_x509_certificate(certificate), serialization.load_pem_private_key(key, None)


def _identifier(signer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    public: Any = signer.public_key()  # its type also has keys that can sign nothing
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(public)


def make_pair(
    common_name: str, alt_names: Sequence[str], authority_certificate: bytes, authority_key: bytes
) -> tuple[bytes, bytes]:
    """A new key and its certificate, both as PEM.

    :param common_name: whose it is.
    :param alt_names: where it serves: ``IP:...`` and ``DNS:...``.
    :param authority_certificate: PEM of who signs it; ``authority_key`` the key to it.
    """
    signer, signing_key = _authority(authority_certificate, authority_key)
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        # X.509 allows 64 characters here. Whom the hub takes for its proxy has another one (patches.web_server): this
        # begins with "user-"
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])]))
        .issuer_name(signer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(min(now + timedelta(days=VALID_DAYS), signer.not_valid_after_utc))
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=True
        )
        .add_extension(_identifier(signer), critical=False)
    )
    if alt_names:
        names = [general_name(name) for name in dict.fromkeys(alt_names)]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate = builder.sign(signing_key, hashes.SHA256())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return pem, certificate.public_bytes(serialization.Encoding.PEM)


def pair_name(user: str, server: str) -> str:
    """The name of a server's pair. No two servers share one: two that start together would mix key and certificate.

    :param user: the hub's name of the user; ``server``: of the server, empty for the one without a name.
    """
    return f"user-{quote(user, safe='@')}+{quote(server, safe='')}"  # quoting leaves no "+" in either


def remove(key: Path, certificate: Path) -> None:
    """Remove a pair that is kept elsewhere now."""
    for path in (key, certificate):
        path.unlink(missing_ok=True)
    with suppress(OSError):  # a site's own files may lie beside them
        key.parent.rmdir()


def write_pair(store: Path, name: str, key: bytes, certificate: bytes) -> tuple[Path, Path]:
    """Put a pair where certipy would: ``STORE/NAME/NAME.key`` (0600) and ``.crt``; the paths."""
    directory = store / name
    directory.mkdir(mode=0o755, exist_ok=True)
    paths = directory / f"{name}.key", directory / f"{name}.crt"
    for path, content, mode in zip(paths, (key, certificate), (0o600, 0o644), strict=True):
        draft = path.with_suffix(path.suffix + ".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
        draft.replace(path)
    return paths
