"""The certificates of internal TLS: until when each is valid, and the same authorities for five more years.

JupyterHub makes five authorities and three pairs once and keeps them; everything else is made anew at each start. An
authority is renewed with the key that it has: whatever it signed is valid under its new certificate, and whoever
trusts the old one trusts what it signs now. So a session that began before goes on until its own end, and needs no
word of it. The three pairs get new keys.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from certipy import Certipy, CertNotFoundError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from fabric_hub.types import Frozen

# JupyterHub's names.
AUTHORITIES = ("hub-ca", "proxy-api-ca", "proxy-client-ca", "notebooks-ca", "services-ca")
PAIRS = ("hub-internal", "proxy-api", "proxy-client")
YEARS = 5
# So long before the end it is told: longer than most sessions, and than an operator's holiday.
TOLD_S = 60 * 86400.0


class Certificate(Frozen):
    """One certificate. ``end`` in Unix seconds; ``ours`` is False for an authority that the site gave the hub."""

    name: str
    kind: Literal["authority", "pair"]
    end: float
    ours: bool = True


def certificates(store: Path) -> list[Certificate]:
    """What internal TLS has, in JupyterHub's order; what is not there yet is left out.

    :param store: JupyterHub's ``internal_certs_location``.
    :raises OSError: this process's account may not look.
    """
    if not (store / "certipy.json").exists():
        return []
    known = Certipy(store_dir=str(store)).store
    found = []
    for name in (*AUTHORITIES, *PAIRS):
        path = _certificate_file(known, name)
        if path is None or not path.exists():
            continue
        end = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc.timestamp()
        kind: Literal["authority", "pair"] = "authority" if name in AUTHORITIES else "pair"
        found.append(Certificate(name=name, kind=kind, end=end, ours=_is_ours(store, path)))
    return found


def ending(found: Iterable[Certificate], now: float) -> list[Certificate]:
    """Those that end within :data:`TOLD_S`, the first to end first. Pure."""
    return sorted((one for one in found if one.end - now < TOLD_S), key=lambda one: one.end)


def renew(store: Path, now: datetime | None = None) -> list[Certificate]:
    """Give each authority of ours five more years, and remove the pairs, which JupyterHub makes anew when it starts.

    The hub must not run: it reads these files whenever a session starts.

    :returns: what was renewed, with its new end; of a pair, that of its authority.
    :raises OSError: the files cannot be written.
    """
    now = now or datetime.now(UTC)
    known = Certipy(store_dir=str(store)).store
    renewed = []
    for one in certificates(store):
        if not one.ours:
            continue
        if one.kind == "pair":
            known.remove_files(one.name, delete_dir=True)
            renewed.append(one.model_copy(update={"end": (now + timedelta(days=365 * YEARS)).timestamp()}))
            continue
        files = known.get_record(one.name)["files"]
        path = Path(files["cert"])
        old = x509.load_pem_x509_certificate(path.read_bytes())
        key: Any = serialization.load_pem_private_key(Path(files["key"]).read_bytes(), None)
        made = _again(old, key, now)
        _replace(path, made.public_bytes(serialization.Encoding.PEM))
        renewed.append(one.model_copy(update={"end": made.not_valid_after_utc.timestamp()}))
    return renewed


def _again(old: x509.Certificate, key: Any, now: datetime) -> x509.Certificate:
    """The same authority, with the same key and the same rights, from now on."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(old.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # not after the old one began: a node's clock may be behind, and what the old one signed is older
        .not_valid_before(min(old.not_valid_before_utc, now))
        .not_valid_after(now + timedelta(days=365 * YEARS))
    )
    for extension in old.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(key, hashes.SHA256())


def _certificate_file(known: Any, name: str) -> Path | None:
    try:
        return Path(known.get_record(name)["files"]["cert"])
    except CertNotFoundError:
        return None


def _is_ours(store: Path, path: Path) -> bool:
    return path.resolve().is_relative_to(store.resolve())


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, path.stat().st_mode & 0o777), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
