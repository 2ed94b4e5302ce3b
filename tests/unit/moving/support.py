"""An old configuration as it is read without running it, in this process."""

from __future__ import annotations

from pathlib import Path

from fabric_hub.config.settings import Settings, parse
from fabric_hub.messages.text import Text
from fabric_hub.moving import recorder, static
from fabric_hub.moving.model import Judged, OldFile, SectionClass
from fabric_hub.moving.verdicts import judge
from tests.support.builders import least_site_text

OLD_CONFIGS = Path(__file__).with_name("old_configs")


def looked(text: str, path: str = "/etc/old.py") -> OldFile:
    """A file by its text alone, with the classes that are installed here."""
    settings = tuple(one.model_copy(update={"ran": True}) for one in static.settings(text, path))
    classes, unloadable = recorder.classes_of(
        [one.section for one in settings], [one.value.text for one in settings if one.value.text]
    )
    known = {name: SectionClass.model_validate(one) for name, one in classes.items()}
    return OldFile(path=path, text=text, settings=settings, classes=known, unloadable=tuple(unloadable))


def site(more: str = "", bind_url: str = "http://127.0.0.1:8000") -> Settings:
    text = least_site_text(Path("/srv/hub"), more)
    return parse(text.replace("[hub]", f'[hub]\nbind_url = "{bind_url}"'))


def judged(text: str, of_site: Settings | None = None) -> Judged:
    """What is said of the last line that says something."""
    return judge(looked(text), of_site)[-1]


def codes(text: Text) -> list[str]:
    """The codes of a text and of those in it."""
    inner = text.params.get("all")
    return [code for one in inner for code in codes(one)] if isinstance(inner, tuple) else [text.code]
