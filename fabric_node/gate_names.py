"""What a dataset's gate is called: by nothing that says which one it is.

The kernel shows everybody on the node where something is mounted, and so the path of every gate.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets

KEY_BYTES = 32


class GateNames:
    """Names of gates on this node, made with a key that only root has: nobody can try out names of datasets.

    :param key: the key's file. Another key gives other names; the gates of before are then removed as any that nobody
        wants.
    """

    def __init__(self, key: str) -> None:
        self._path = key
        self._key = b""

    def of(self, dataset: str) -> str:
        """The name of a dataset's gate."""
        self._key = self._key or self._read()
        return hashlib.blake2b(dataset.encode(), key=self._key, digest_size=16).hexdigest()

    def make_key(self) -> None:
        """Make the key where there is none, or half of one; whoever else does so at the same moment makes the same."""
        with contextlib.suppress(FileNotFoundError):
            if os.stat(self._path).st_size == KEY_BYTES:
                return
            os.unlink(self._path)
        fresh = f"{self._path}.{secrets.token_hex(8)}"
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        try:
            with contextlib.suppress(FileExistsError):
                os.link(fresh, self._path)
        finally:
            os.unlink(fresh)

    def _read(self) -> bytes:
        with open(self._path, "rb") as file:
            return file.read()
