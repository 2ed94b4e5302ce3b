"""``[site]``: whose hub this is. What is on every page, for everybody, can do nothing there, and is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabric_hub.cli import main
from fabric_hub.config import logo
from fabric_hub.config.settings import parse
from fabric_hub.config.site import SiteSettings
from fabric_hub.errors import FabricError
from tests.support.builders import site_text

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">%s</svg>'
DRAWING = SVG % (
    '<defs><linearGradient id="a"><stop offset="1"/></linearGradient></defs><style>.b{fill:url(#a)}</style>'
    '<!-- a <!DOCTYPE in words --><path class="b" d="M0 0h9v9z"/><use xlink:href="#a"/>'
)


def mistakes(section: str) -> list[str]:
    with pytest.raises(FabricError) as caught:
        parse(section + "[hub]\nstate_dir = '/x'\n[images]\ndir = '/images'\n")
    return caught.value.message.splitlines()[1:]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("accent = '#f0b400'", "#f0b400 has a contrast of 1.7 to 1 on #f6f7f9, and text needs at least 4.5: #"),
        ("accent_dark = '#0f766e'", "#0f766e has a contrast of 3 to 1 on #171d27, and text needs at least 4.5: #"),
        ("accent = 'red;}body{display:none'", 'must be a colour as #rrggbb, such as "#0f766e"'),
        ("name = '<b>Mine</b>'", "must be a name of at most 40 characters, without < > and ·, such as"),
        ("name = ''", "must be a name of at most 40 characters"),
        ("about = '<script>'", "must be one sentence of at most 200 characters, without < and >, such as"),
        ("help_url = 'javascript:alert(1)'", "must be the address of a page with https:// or http://, such as"),
        ("privacy_url = 'https://x.org/\" onclick=\"'", "must be the address of a page with https:// or http://"),
        ("support_email = 'a@b.org?bcc=everybody'", "must be an e-mail address, such as"),
        ("logo = 'logo.svg'", "logo.svg is not an absolute path"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_refused_with_what_would_do(line: str, told: str) -> None:
    key = line.partition(" ")[0]
    [said] = mistakes(f"[site]\n{line}\n")
    assert said.startswith(f"site.toml:2: site.{key}: ")
    assert told in said


def test_the_colour_that_would_do_does() -> None:
    for key, colour in (("accent", "#f0b400"), ("accent_dark", "#0f766e")):
        [said] = mistakes(f"[site]\n{key} = '{colour}'\n")
        better = said.rpartition(": ")[2].removesuffix(" would do")
        assert getattr(SiteSettings.model_validate({key: better}), key) == better


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"GIF89a", "is no PNG, and no SVG in UTF-8 without a DOCTYPE"),
        (b"<html><svg/></html>", "is no PNG"),
        (b'<!DOCTYPE svg [<!ENTITY a "aaaa">]>' + DRAWING.encode(), "is no PNG"),
        (DRAWING.encode("utf-16"), "is no PNG"),
        (b"\x89PNG\r\n\x1a\n" + bytes(250_000), "is larger than 250 kB"),
        (
            SVG % "<script>alert(1)</script>",
            "has <script>: a logo may only draw, without scripts, links and files of elsewhere",
        ),
        (SVG % "<foreignObject/>", "has <foreignObject>"),
        (SVG % '<g onload="alert(1)"/>', "has onload=…"),
        (SVG % '<a xlink:href="#x"/>', "has <a>"),
        (SVG % '<use href="https://elsewhere.org/x.svg#a"/>', "has href=…"),
        (SVG % '<use href="data:image/svg+xml,x"/>', "has href=…"),
        (SVG % "<style>@import 'x.css'</style>", "has <style>"),
        (SVG % '<path style="fill: URL( &quot;//elsewhere.org/x&quot; )"/>', "has style=…"),
        (SVG % '<animate attributeName="href" values="javascript:alert(1)"/>', "has <animate>"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith(("is", "has")) else "",
)
def test_a_logo_that_does_more_than_draw_is_refused(tmp_path: Path, content: bytes | str, told: str) -> None:
    path = tmp_path / "logo"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(logo.LogoError, match=told.replace("(", r"\(")):
        logo.read(path)


def test_a_picture_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "logo.gif"
    path.write_text(DRAWING)
    first = logo.read(path)
    assert first.media_type == "image/svg+xml"
    path.write_bytes(b"\x89PNG\r\n\x1a\n...")
    assert logo.read(path).media_type == "image/png"
    assert logo.read(path).version != first.version


def test_check_config_says_what_is_wrong_with_a_logo_and_on_which_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, file = tmp_path / "logo.svg", tmp_path / "site.toml"
    file.write_text(f"[site]\nlogo = '{picture}'\n" + site_text(tmp_path))
    assert main(["check-config", "--site", str(file)]) == 1
    assert f"{file}:2: site.logo: {picture} cannot be read: No such file or directory" in capsys.readouterr().err
    picture.write_text(DRAWING)
    assert main(["check-config", "--site", str(file)]) == 0
