"""The command line speaks the language of the terminal, and to programs always the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fabric_hub.cli import main
from fabric_hub.messages.reader import ENGLISH, Reader, reader_of_terminal
from tests.support.builders import site_text

DUTCH = Reader("nl")


def fabric_hub(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own; no locale of its name need be installed."""
    return subprocess.run(
        [sys.executable, "-m", "fabric_hub.cli", *arguments],
        env={"PATH": "/usr/bin:/bin", **variables},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    site = tmp_path / "site.toml"
    site.write_text(site_text(tmp_path, "[profile.x]\ncpus = 0\nmemory = '8GB'\n"))
    return site


@pytest.mark.parametrize(
    ("variables", "reader"),
    [
        ({"LANG": "nl_NL.UTF-8"}, DUTCH),
        ({"LANG": "nl"}, DUTCH),
        ({"LANG": "nl_BE@euro"}, DUTCH),
        ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "nl_NL.UTF-8"}, DUTCH),
        ({"LC_ALL": "en_GB.UTF-8", "LC_MESSAGES": "nl_NL.UTF-8", "LANG": "nl_NL.UTF-8"}, ENGLISH),
        ({"LC_ALL": "", "LANG": "nl_NL.UTF-8"}, DUTCH),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "fr:nl:en"}, DUTCH),
        ({"LANG": "nl_NL.UTF-8", "LANGUAGE": "en"}, ENGLISH),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "fr"}, ENGLISH),
        ({"LANG": "C", "LANGUAGE": "nl"}, ENGLISH),
        ({"LANG": "C.UTF-8", "LANGUAGE": "nl"}, ENGLISH),
        ({"LANG": "POSIX"}, ENGLISH),
        ({"LANG": "../../etc/nl"}, ENGLISH),
        ({"LANG": "x" * 10_000}, ENGLISH),
        ({}, ENGLISH),
    ],
)
def test_the_language_is_the_one_that_gettext_would_take(variables: dict[str, str], reader: Reader) -> None:
    assert reader_of_terminal(variables) == reader


def test_a_broken_file_is_explained_in_the_language_of_the_terminal(broken: Path) -> None:
    dutch = fabric_hub("check-config", "--site", str(broken), LANG="nl_NL.UTF-8")
    assert dutch.returncode == 1
    assert f"fabric-hub: {broken} heeft 2 fouten:\n" in dutch.stderr
    assert "profile.x.cpus: moet ten minste 1 zijn, niet 0\n" in dutch.stderr
    assert 'een getal met K, M, G of T zijn, zoals "8G", niet "8GB": schrijf "8G"\n' in dutch.stderr
    english = fabric_hub("check-config", "--site", str(broken), LANG="Klingon.UTF-99")
    assert f"fabric-hub: {broken} has 2 mistakes:\n" in english.stderr
    assert "profile.x.cpus: must be greater than or equal to 1, not 0\n" in english.stderr


def test_what_doctor_finds_is_in_the_language_of_the_terminal(broken: Path) -> None:
    dutch, english = (fabric_hub("doctor", "--site", str(broken), LANG=one) for one in ("nl_NL.UTF-8", "C"))
    assert (dutch.returncode, english.returncode) == (1, 1)
    assert f"PROBLEM  {broken} heeft 2 fouten:\n         -> verbeter die regel; `fabric-hub check" in dutch.stdout
    assert f"PROBLEM  {broken} has 2 mistakes:\n         -> correct that line; `fabric-hub check" in english.stdout


def test_for_programs_what_doctor_finds_is_the_same_in_every_language(
    broken: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = []
    for language in ("nl", "en"):
        monkeypatch.setenv("LC_ALL", f"{language}.UTF-8")
        monkeypatch.setenv("LANGUAGE", "")
        assert main(["doctor", "--json", "--site", str(broken)]) == 1
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    assert f"{broken} has 2 mistakes:" in {finding["about"] for finding in json.loads(said[0])}


def test_an_error_is_in_the_language_of_the_terminal(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere.toml"
    dutch = fabric_hub("datasets", "list", "--site", str(nowhere), LANG="nl_NL.UTF-8")
    assert dutch.stderr.startswith(f"fabric-hub: Het sitebestand {nowhere} kan niet worden gelezen: ")
    assert "Zet FABRIC_HUB_SITE op het juiste pad" in dutch.stderr


@pytest.mark.parametrize(
    ("language", "usage", "required", "helps"),
    [
        ("nl", "gebruik: fabric-hub ", "fout: deze argumenten zijn verplicht: --project", "toon deze hulp en stop"),
        (
            "en",
            "usage: fabric-hub ",
            "error: the following arguments are required: --project",
            "show this help",
        ),
    ],
)
def test_help_and_wrong_usage_are_in_the_language_of_the_terminal(
    language: str,
    usage: str,
    required: str,
    helps: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LC_ALL", f"{language}.UTF-8")
    monkeypatch.setenv("LANGUAGE", "")
    for arguments, status in ((["datasets", "grant", "a"], 2), (["images", "build", "--help"], 0)):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == status
    said = capsys.readouterr()
    assert said.err.startswith(usage)
    assert required in said.err
    assert said.out.startswith(usage)
    assert helps in said.out


def test_what_each_command_is_for_is_said_in_dutch(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def helps(language: str) -> str:
        monkeypatch.setenv("LC_ALL", language)
        monkeypatch.setenv("LANGUAGE", "")
        monkeypatch.setenv("COLUMNS", "200")
        with pytest.raises(SystemExit):
            main(["--help"])
        return capsys.readouterr().out

    english = {line.strip() for line in helps("C").splitlines()} - {""}
    dutch = {line.strip() for line in helps("nl_NL.UTF-8").splitlines()}
    assert any(line.endswith(" start een eigen cluster en hub op deze machine") for line in dutch)
    assert english & dutch == {"check-config"}, "no line but a name is the same"


def test_a_command_that_says_english_loads_nothing_of_other_languages(broken: Path) -> None:
    program = (
        "import sys\nfrom fabric_hub.cli import main\n"
        f"main(['check-config', '--site', {str(broken)!r}])\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'babel'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "[]\n", done.stderr
