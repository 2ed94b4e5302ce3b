"""The one schema of user options: for the form, the spawn URL and the REST API.

JupyterHub stores what REST clients send unchecked, so nothing downstream reads
``user_options`` except through :func:`parse_options`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError

from ..errors import FabricError
from ..model import Frozen, Slug


class UserOptions(Frozen):
    """What a user may choose; None means left out. ``hours`` is the time asked for."""

    project: Slug | None = None
    profile: Slug | None = None
    image: Slug | None = None
    hours: Annotated[float, Field(gt=0, le=8784, allow_inf_nan=False, strict=True)] | None = None
    datasets: tuple[Slug, ...] = Field(default=(), max_length=100)


NAMES = tuple(UserOptions.model_fields)


def parse_options(raw: Mapping[str, Any] | None) -> UserOptions:
    """User options from any of the three doors, as typed values.

    Form and URL send lists of text (``{"hours": ["2"]}``), REST sends JSON
    (``{"hours": 2}``); both are taken. Empty text is the same as left out.

    :raises FabricError: an unknown option, or a value that is not of its kind; the
        first eight mistakes are named. The text of a value is never repeated unquoted.
    """
    if raw is None:
        raw = {}
    if not isinstance(raw, Mapping):
        raise FabricError("User options must be an object.", reason="options", hint=_HINT)
    plain = {str(name): _plain(str(name), value) for name, value in raw.items()}
    try:
        return UserOptions.model_validate({name: value for name, value in plain.items() if value is not None})
    except ValidationError as error:
        wrong = list(dict.fromkeys(_explain(item) for item in error.errors()))
        more = f"; and {len(wrong) - _NAMED} more mistakes" if len(wrong) > _NAMED else ""
        raise FabricError(
            f"{'; '.join(wrong[:_NAMED])}{more}.",
            reason="options",
            hint=_HINT,
        ) from error


_NAMED = 8  # a message is read by a person, and travels in the hub's log and pages
_HINT = f"Options are {', '.join(NAMES)}."


def _plain(name: str, value: Any) -> Any:
    if name == "datasets":
        if isinstance(value, str):
            value = [value]
        if isinstance(value, list | tuple):
            return tuple(item for item in value if item != "")
        return value
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, str):
        value = value.strip()
        if not value:
            return None
        if name == "hours":
            try:
                return float(value.replace(",", "."))
            except ValueError:
                return value
    if name == "hours" and isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) < 1e9 else value
    return value


def _explain(item: Any) -> str:
    where = str(item["loc"][0]) if item["loc"] else "options"
    if item["type"] == "extra_forbidden":
        return f"There is no option {where[:40]!r}"
    if where == "hours":
        return "Option hours must be a number above 0 (at most 8784)"
    if where == "datasets":
        return "Option datasets must be at most 100 names in small letters, digits and hyphens"
    return f"Option {where} must be one name in small letters, digits and hyphens"
