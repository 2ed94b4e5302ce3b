"""A key of the cluster's own: who holds it is the cluster's user, everyone else is nobody.

One key pair, signed by itself, serves scheduler, workers, nannies, dashboard and clients: TLS with a certificate
from both ends, as distributed has it (https://distributed.dask.org/en/stable/tls.html). It lives in the cluster's
directory, readable by the user only, as long as the cluster.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from .. import tls_sockets

if TYPE_CHECKING:
    from distributed import Security

CERTIFICATE, KEY = "cert.pem", "key.pem"


def create(directory: Path) -> None:
    """Make a new key pair in a directory that only its owner may enter."""
    from distributed import Security  # the session's server reads pages with the key, and has no use for it

    made = Security.temporary()
    for name, text in ((CERTIFICATE, made.tls_ca_file), (KEY, made.tls_client_key)):
        with os.fdopen(os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)


def load(directory: Path) -> Security:
    """The cluster's Security; every role uses the same key, in a process whose connections break one by one only."""
    from distributed import Security

    tls_sockets.mend()
    certificate, key = str(directory / CERTIFICATE), str(directory / KEY)
    return Security(
        require_encryption=True,
        tls_ca_file=certificate,
        tls_client_cert=certificate,
        tls_client_key=key,
        tls_scheduler_cert=certificate,
        tls_scheduler_key=key,
        tls_worker_cert=certificate,
        tls_worker_key=key,
    )


def remove(directory: Path) -> None:
    """Forget the key: nobody connects any more."""
    for name in (KEY, CERTIFICATE):
        (directory / name).unlink(missing_ok=True)


def for_pages(directory: Path) -> ssl.SSLContext:
    """For the HTTP servers of scheduler and workers: they answer only to who has the cluster's key."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(directory / CERTIFICATE))
    context.load_cert_chain(directory / CERTIFICATE, directory / KEY)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def for_reading_pages(directory: Path) -> ssl.SSLContext:
    """For whoever reads those pages: the key stands for a name, which an address that may change could not."""
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(directory / CERTIFICATE))
    context.check_hostname = False
    context.load_cert_chain(directory / CERTIFICATE, directory / KEY)
    return context
