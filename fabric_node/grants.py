"""The published grants: checked strictly, and asked who may read what. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .trust import NodeError

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
VERSION = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z._-]{0,30}[0-9A-Za-z])?")
ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:+-]{0,63}")
UNIX = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
LATEST = "latest"  # a name of ours beside the versions


def same_account(one: str, other: str) -> bool:
    """Whether two names are the same account to Slurm, which asks without regard to case."""
    return one.lower() == other.lower()


@dataclass(frozen=True)
class Source:
    """What a version is mounted from: one image of ``bytes``, or a directory; ``reader``: for this uid alone."""

    kind: str
    path: str
    sha256: str
    bytes: int
    reader: int | None = None

    @property
    def key(self) -> str:
        """The name of root's own mount of it.

        Images of one digest are one image. A directory changes after its digest was taken: another path is another one.
        """
        if self.kind == "image":
            return f"i-{self.sha256}" if self.reader is None else f"i-{self.sha256}-{self.reader}"
        return f"d-{hashlib.sha256(f'{self.sha256} {self.path}'.encode()).hexdigest()}"


@dataclass(frozen=True)
class Grant:
    """``uids`` of None is everybody, ``account`` of None any account, ``until`` of None no end."""

    account: str | None
    uids: frozenset[int] | None
    until: float | None


@dataclass(frozen=True)
class Dataset:
    """One published dataset; ``latest`` is one of its versions, or None."""

    access: str
    latest: str | None
    versions: Mapping[str, Source]

    def shown_to(self, uid: int, *, apart: bool) -> Mapping[str, Source]:
        """The versions for one reader.

        A non-public image is mounted for each reader anew where jobs see mounts of their own (``apart``): what one of
        them loses can then be taken from what that one has open, too.
        """
        if self.access != "non-public" or not apart:
            return self.versions
        return {version: replace(source, reader=uid) for version, source in self.versions.items()}


@dataclass(frozen=True)
class EndJobs:
    """Jobs of ``account`` (None: any) that opened ``dataset`` before ``at`` end when they may no longer use it."""

    dataset: str
    account: str | None
    at: float


@dataclass(frozen=True)
class Cleaning:
    """An account that was given back: what it has on this node is removed, if the node's own configuration agrees."""

    account: str
    uid: int
    round: int


@dataclass(frozen=True)
class Grants:
    """One published file."""

    serial: int = 0
    datasets: Mapping[str, Dataset] = field(default_factory=dict)
    grants: Mapping[str, tuple[Grant, ...]] = field(default_factory=dict)
    end_jobs: tuple[EndJobs, ...] = ()
    cleaning: tuple[Cleaning, ...] = ()


@dataclass(frozen=True)
class Answer:
    """Whether a uid may read a dataset: until when (None: no end), or why not."""

    allowed: bool
    until: float | None = None
    reason: str = ""
    message: str = ""


def who_may(grants: Grants, name: str, uid: int, account: str | None, now: float) -> Answer:
    """May ``uid`` read a dataset now, in a job of Slurm's ``account`` (None: Slurm did not say which)?

    A non-public dataset that nobody granted to the uid is unknown to it, as one that does not exist.
    """
    dataset = grants.datasets.get(name)
    unknown = Answer(False, reason="unknown", message=f"There is no published dataset {name}.")
    if dataset is None:
        return unknown
    mine = [
        grant
        for grant in grants.grants.get(name, ())
        if (grant.uids is None or uid in grant.uids)
        and (grant.account is None or account is None or same_account(grant.account, account))
    ]
    open_now = [grant.until for grant in mine if grant.until is None or grant.until > now]
    if open_now:
        return Answer(True, None if None in open_now else max(until for until in open_now if until is not None))
    if mine:
        return Answer(False, reason="expired", message=f"The grant of {name} has ended. Ask for a new one.")
    if dataset.access == "non-public":
        return unknown
    of = f"the project of account {account}" if account else "any project of yours"
    message = f"{name} is not granted to {of}, or its agreement is not accepted yet. See the hub's page Datasets."
    return Answer(False, reason="not-granted", message=message)


def _need(condition: bool, what: str) -> None:
    if not condition:
        raise NodeError(f"The published grants are not usable: {what}.", "grants")


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _whole(value: Any, most: int = 2**63) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < most


def _source(where: str, data: Any) -> Source:
    _need(isinstance(data, dict), f"{where} is not an object")
    kind, path, sha256, size = (data.get(key) for key in ("kind", "path", "sha256", "bytes"))
    _need(kind in ("image", "directory"), f"{where} is of an unknown kind")
    plain = isinstance(path, str) and path.startswith("/") and len(path) < 4096 and path.isprintable()
    _need(plain and not {"", ".", ".."} & set(str(path).split("/")[1:]), f"{where} has no plain absolute path")
    _need(isinstance(sha256, str) and _SHA256.fullmatch(sha256) is not None, f"{where} has no digest")
    _need(_whole(size), f"{where} has no size")
    return Source(str(kind), str(path), str(sha256), int(str(size)))


def _dataset(name: Any, data: Any) -> Dataset:
    _need(isinstance(name, str) and NAME.fullmatch(name) is not None, "a dataset has an invalid name")
    _need(isinstance(data, dict) and isinstance(data.get("versions"), dict), f"{name} has no versions")
    _need(data.get("access") in ("public", "restricted", "non-public"), f"{name} has unknown access rights")
    versions = {}
    for version, source in data["versions"].items():
        good = VERSION.fullmatch(version) is not None and version != LATEST
        _need(good, f"{name} has a version with an invalid name")
        versions[version] = _source(f"{name}/{version}", source)
    latest = data.get("latest")
    _need(latest is None or latest in versions, f"the latest version of {name} is not one of its versions")
    return Dataset(data["access"], latest, versions)


def _grant(name: str, data: Any) -> Grant:
    _need(isinstance(data, dict) and {"account", "uids", "until"} <= set(data), f"a grant of {name} is incomplete")
    account, uids, until = data["account"], data["uids"], data["until"]
    _need(account is None or isinstance(account, str), f"a grant of {name} has no account")
    listed = uids is None or (isinstance(uids, list) and all(_whole(uid, 2**32 - 1) for uid in uids))
    _need(listed, f"a grant of {name} has no list of uids")
    _need(until is None or _number(until), f"a grant of {name} has no end")
    return Grant(account, None if uids is None else frozenset(uids), until)


def _end_jobs(data: Any) -> EndJobs:
    good = isinstance(data, dict) and isinstance(data.get("dataset"), str) and _number(data.get("at"))
    _need(good and (data.get("account") is None or isinstance(data["account"], str)), "an entry of end_jobs is wrong")
    return EndJobs(data["dataset"], data.get("account"), data["at"])


def _cleaning(data: Any) -> Cleaning:
    good = isinstance(data, dict) and isinstance(data.get("account"), str)
    _need(good and UNIX.fullmatch(data["account"]) is not None, "an entry of cleaning has no account")
    _need(_whole(data.get("uid"), 2**32 - 1) and _whole(data.get("round")), "an entry of cleaning has no uid or round")
    return Cleaning(data["account"], data["uid"], data["round"])


def parse(text: str) -> Grants:
    """The published file's text as :class:`Grants`.

    :raises NodeError: any part of it is not as agreed; a file is used whole or not at all. Reason "grants".
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NodeError(f"The published grants are not JSON: {error}.", "grants") from error
    _need(isinstance(data, dict) and data.get("format") == 1, "their format is not 1")
    _need(_whole(data.get("serial")), "they have no serial number")
    _need(isinstance(data.get("datasets"), dict) and isinstance(data.get("grants"), dict), "a part is missing")
    datasets = {name: _dataset(name, dataset) for name, dataset in data["datasets"].items()}
    grants = {}
    for name, listed in data["grants"].items():
        _need(isinstance(listed, list), f"the grants of {name} are no list")
        grants[name] = tuple(_grant(name, grant) for grant in listed)
    ends = data.get("end_jobs", [])
    _need(isinstance(ends, list), "end_jobs is no list")
    cleaning = data.get("cleaning", [])
    _need(isinstance(cleaning, list), "cleaning is no list")
    return Grants(data["serial"], datasets, grants, tuple(map(_end_jobs, ends)), tuple(map(_cleaning, cleaning)))
