"""The published grants as they are now."""

from __future__ import annotations

import logging
import os

from .config import Config
from .grants import Grants, parse
from .trust import NodeError, read_text

_LOG = logging.getLogger(__name__)


class GrantsFile:
    """The published grants, read again when the file is another one."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._signature: tuple[int, int, int] | None = None
        self._grants: Grants | None = None
        self.problem = ""

    def signature(self) -> tuple[int, int, int] | None:
        """Changes with the file; None when there is none."""
        try:
            status = os.stat(self._config.grants)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino, status.st_size

    def current(self) -> Grants | None:
        """The grants as published now; None, with ``problem`` in words, when they cannot be used."""
        signature = self.signature()
        if signature is not None and signature == self._signature and self._grants is not None:
            return self._grants
        problem = ""
        try:
            self._grants = parse(read_text(self._config.grants, self._config.owners))
        except NodeError as error:
            self._grants, problem = None, error.message
        self._signature = signature
        if problem and problem != self.problem:
            _LOG.error("Nothing new is opened: %s", problem)
        self.problem = problem
        return self._grants
