"""The one schema of user options: for the form, the spawn URL and the REST API.

JupyterHub stores what REST clients send unchecked, so nothing downstream reads
``user_options`` except through :func:`parse_options`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode

from pydantic import Field, ValidationError

from fabric_hub.datasets.model import Accepting
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text, sentences
from fabric_hub.messages.texts import launch as texts
from fabric_hub.messages.texts.datasets import LINK_ACCEPTS_NOTHING
from fabric_hub.types import Frozen, Slug

_MOST_HOURS, _MOST_DATASETS = 8784, 100


class UserOptions(Frozen):
    """What a user may choose; None means left out. ``hours`` is the time asked for.

    ``agreements`` are those accepted with this very start: they are never kept with a session's options.
    """

    project: Slug | None = None
    profile: Slug | None = None
    image: Slug | None = None
    hours: Annotated[float, Field(gt=0, le=_MOST_HOURS, allow_inf_nan=False, strict=True)] | None = None
    datasets: tuple[Slug, ...] = Field(default=(), max_length=_MOST_DATASETS)
    agreements: dict[Slug, Accepting] = Field(default={}, max_length=_MOST_DATASETS)


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
        raise FabricError(texts.OPTIONS_NO_OBJECT(names=NAMES))
    plain = {str(name): _plain(str(name), value) for name, value in raw.items()}
    try:
        return UserOptions.model_validate({name: value for name, value in plain.items() if value is not None})
    except ValidationError as error:
        wrong = list({str(found): found for found in map(_explain, error.errors())}.values())
        others = len(wrong) - _NAMED
        more = texts.OPTIONS_MORE_WRONG(n=others) if others > 0 else None
        told = sentences(*wrong[:_NAMED], more)
        raise FabricError(told, reason="options", hint=texts.OPTIONS_ARE(names=NAMES), status=400) from error


# The form's fields for one dataset's agreement: the version that the box says, and the purpose picked.
ACCEPT, PURPOSE = "accept-", "purpose-"
# The name of the button in a refusal that starts a rescue session; its value is PROJECT/PROFILE.
RESCUE = "rescue"
# The name of the buttons that start at once what was started or saved before; the value is a choice as in a link.
AGAIN = "again"
# The form's field for a name under which a choice is saved; it is no part of the choice.
PRESET = "preset"


def from_form(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The start form's fields as options: ``accept-NAME=VERSION`` and ``purpose-NAME=SLUG`` become ``agreements``.

    A purpose without a ticked box accepts nothing, nor does a box of a dataset that is not picked: a page
    without JavaScript sends every purpose that it shows. The button of a rescue session stands for all the rest,
    and so does one that starts what was started before: it accepts nothing either.
    """
    if RESCUE in fields:
        project, _, profile = str(_plain(RESCUE, fields[RESCUE])).partition("/")
        return {"project": project, "profile": profile}
    if AGAIN in fields:
        return dict(parse_qs(str(_plain(AGAIN, fields[AGAIN]))))
    raw = {name: value for name, value in fields.items() if name != PRESET and not name.startswith((ACCEPT, PURPOSE))}
    picked = _plain("datasets", raw.get("datasets", ()))
    agreements = {}
    for name in picked if isinstance(picked, tuple) else ():
        version = _plain(ACCEPT, fields.get(f"{ACCEPT}{name}"))
        if version is not None:
            agreements[name] = {"version": version, "purpose": _plain(PURPOSE, fields.get(f"{PURPOSE}{name}")) or ""}
    return {**raw, "agreements": agreements} if agreements else raw


def from_url(query: Mapping[str, Any]) -> Mapping[str, Any]:
    """A spawn URL's options.

    :raises FabricError: it accepts an agreement. Anybody can make somebody open a link: it is not that person's word.
    """
    if any(name == "agreements" or name.startswith((ACCEPT, PURPOSE)) for name in query):
        raise FabricError(LINK_ACCEPTS_NOTHING())
    return query


def as_query(options: Mapping[str, Any], prefix: str = "") -> str:
    """A choice as a link has it: ``project=a&profile=b``; agreements are no part of it.

    :param prefix: before each name; JupyterHub's is ``opt-``.
    """
    told = {f"{prefix}{name}": value for name, value in options.items() if name in NAMES and name != "agreements"}
    return urlencode({name: f"{value:g}" if isinstance(value, float) else value for name, value in told.items()}, True)


_NAMED = 8  # a message is read by a person, and travels in the hub's log and pages
_AGREEMENT = '{"version": VERSION, "purpose": PURPOSE}'


def _plain(name: str, value: Any) -> Any:
    if name == "agreements" and value in ("", [""], ("",), None):
        return None
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


def _explain(item: Any) -> Text:
    where = str(item["loc"][0]) if item["loc"] else "options"
    if item["type"] == "extra_forbidden" and len(item["loc"]) == 1:
        return texts.OPTION_UNKNOWN(name=repr(where[:40]))
    if where == "hours":
        return texts.OPTION_HOURS(most=_MOST_HOURS)
    if where == "agreements":
        return texts.OPTION_AGREEMENTS(form=_AGREEMENT)
    if where == "datasets":
        return texts.OPTION_DATASETS(most=_MOST_DATASETS)
    return texts.OPTION_NAME(option=where)
