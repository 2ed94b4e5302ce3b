"""Names and other short texts as types: what may be in them, and how that is said to a person. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

SESSION_ID = r"[a-z2-7]{12}"
HUB_ID = r"[a-z0-9]{2,16}"


class Frozen(BaseModel):
    """An immutable value that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def slurm_key(name: str) -> str:
    """An account's or a QOS's name as Slurm compares it."""
    return name.lower()


def login_name(name: str, keep_case: bool = False) -> str:
    """A person's name as JupyterHub has it after the login."""
    return name if keep_case else name.lower()


def matching(pattern: str) -> StringConstraints:
    """A text that a pattern describes from its first character to its last."""
    # pydantic's regex engine takes $ as the end of the text, never before a final newline
    return StringConstraints(pattern=rf"^(?:{pattern})$", strict=True)


class Better(NamedTuple):
    """What was probably meant by a wrong value: the code of a text, and its parameters."""

    code: str
    params: dict[str, str]


def said(rule: str, example: str, better: Callable[[str], Better | None] = lambda _: None) -> WrapValidator:
    """What a value of a type must be, in words: a pattern tells a person nothing.

    :param rule: in English; the catalogues have what stands here.
    :param better: what was probably meant by a wrong value, or None; it is told only where the value itself may be.
    """

    def check(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
        try:
            return validate(value)
        except ValidationError:
            context = {"rule": rule, "example": example, "better": better(str(value))}
            raise PydanticCustomError("words", 'must be {rule}, such as "{example}"', context) from None

    return WrapValidator(check)


def _slug(text: str) -> Better | None:
    made = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-")
    return Better("setting-write", {"name": made}) if made else None


def _one_name(text: str) -> Better | None:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return Better("setting-write-several", {}) if len(parts) > 1 else None


def _without_domain(text: str) -> Better | None:
    domain, slash, name = text.partition("\\")
    if not slash or not name:
        return None
    return Better("setting-write-domain", {"name": name.lower(), "domain": domain})


SessionId = Annotated[str, matching(SESSION_ID)]
HubId = Annotated[str, matching(HUB_ID), said("2 to 16 small letters and digits", "main")]
# A person as the hub names them. JupyterHub allows more; what is not in here cannot have sessions.
HubUser = Annotated[
    str,
    matching(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,63}"),
    said("a person's name at the hub: letters, digits and _ . @ + -, at most 64", "anna@example.org", _without_domain),
]
# Names of Slurm's own objects: account, partition, QOS, reservation, cluster.
SlurmName = Annotated[
    str,
    matching(r"[A-Za-z0-9_][A-Za-z0-9_.@:+-]{0,63}"),
    said("one name that Slurm has, no list: letters, digits and _ . @ : + -, at most 64", "gpu_long", _one_name),
]
# The same of accounts and QOS, which Slurm compares without regard to case.
AccountName = Annotated[SlurmName, AfterValidator(slurm_key)]
QosName = AccountName
# Such a name in Slurm's own answers, whatever is in it; "" is none.
SlurmKey = Annotated[str, AfterValidator(slurm_key)]
# Names of the site's own objects: project, profile, image, dataset.
Slug = Annotated[
    str,
    matching(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?"),
    said("small letters, digits and hyphens between them, at most 40", "ml-course", _slug),
]
ServerName = Annotated[str, matching(r"|[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")]
# Types of GPU as AutoDetect and MIG name them: nvidia_rtx_pro_6000_blackwell_server_edition, 1g.10gb+me, intel(r)_...
_GPU_TYPE = r"[A-Za-z0-9_.+()/-]{1,100}"
GpuType = Annotated[
    str,
    matching(_GPU_TYPE),
    said("a type of GPU as Slurm names it, the TYPE in gpu:TYPE:NUMBER of `sinfo -o %G`", "h200"),
]
Gres = Annotated[
    str,
    matching(rf"(?:gpu|shard)(?::{_GPU_TYPE})?:[1-9][0-9]{{0,3}}"),
    said("gpu or shard with a number, and a type between them where it matters", "gpu:h200:1"),
]
OneLine = Annotated[str, matching(r"[^\x00-\x1f\x7f]{1,200}")]
EnvName = Annotated[
    str, matching(r"[A-Za-z_][A-Za-z0-9_]{0,127}"), said("the name of a variable: letters, digits and _", "MY_SITE")
]


def whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


# A whole number as JSON has it: 5.0 is 5, "5" and true are none.
WholeNumber = Annotated[int, Field(strict=True), BeforeValidator(whole)]


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise PydanticCustomError("setting-not-absolute", "{path} is not an absolute path", {"path": str(path)})
    return path


AbsolutePath = Annotated[Path, AfterValidator(_absolute)]
