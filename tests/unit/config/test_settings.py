from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_hub.cli.notes import of_sessions_trust
from fabric_hub.config.mistakes import line_of
from fabric_hub.config.settings import ENV, Settings, load, parse, path_from_environment
from fabric_hub.errors import FabricError
from tests.support.builders import a_site, least_site_text, site_text


def mistakes(text: str) -> list[str]:
    """The lines after the first of what is said about a site's file."""
    with pytest.raises(FabricError) as caught:
        parse(text)
    assert caught.value.reason == "site-file"
    return caught.value.message.splitlines()[1:]


def line(text: str, needle: str) -> int:
    return next(number for number, row in enumerate(text.splitlines(), 1) if row.startswith(needle))


def test_a_sites_file_is_read_into_types(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(site_text(tmp_path))
    settings = load(path)
    assert settings.hub.state_dir == tmp_path
    assert settings.profile["gpu"].gres == ("gpu:h200:1",)
    assert settings.project["physics"].members.owner == ("ada",)
    assert settings.slurm is not None


def test_every_mistake_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = site_text(tmp_path, "[profile.bad]\ncpus = 0\ncolour = 'red'\n[project.lost]\ntitle = 'no account'\n")
    told = mistakes(text)
    assert [row.split(":")[1:3] for row in told] == [
        [str(line(text, "cpus = 0")), " profile.bad.cpus"],
        [str(line(text, "colour")), " profile.bad.colour"],
        [str(line(text, "[project.lost]")), " project.lost.account"],
    ]
    assert told[1].endswith("no such setting")
    assert told[2].endswith("is required")


def test_each_name_that_is_not_in_the_file_is_a_mistake_of_its_own_line(tmp_path: Path) -> None:
    more = "[project.a]\naccount='a'\nprofiles = ['nope']\n[project.b]\naccount='b'\nimages = ['nix']\n"
    text = site_text(tmp_path, more)
    told = mistakes(text)
    assert len(told) == 2
    assert told[0].startswith(f"site.toml:{line(text, 'profiles = [' + chr(39) + 'nope')}: project.a.profiles: 'nope'")
    assert told[1].startswith(f"site.toml:{line(text, 'images = [' + chr(39) + 'nix')}: project.b.images: 'nix'")


def test_a_profile_on_slurm_needs_the_slurm_section(tmp_path: Path) -> None:
    told = mistakes(site_text(tmp_path).replace("[slurm]\n", ""))
    assert [row.split(": ", 1)[1].split(":")[0] for row in told] == ["profile.cpu", "profile.gpu"]


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ("gpus = 1\nshards = 1", "gpus and shards exclude each other"),
        ("default_hours = 9\nmax_hours = 8", "default_hours (9) is above max_hours (8)"),
        ("kind = 'local'\ngpus = 1", "a local profile takes no partition, gpus or shards"),
        ("memory = '4GB'", "profile.x.memory"),
        ("memory = '-4G'", "profile.x.memory"),
        ("gpu_type = 'a b'", "profile.x.gpu_type"),
        ("default_hours = nan", "profile.x.default_hours"),
    ],
)
def test_a_profile_that_contradicts_itself_is_refused(tmp_path: Path, profile: str, words: str) -> None:
    text = site_text(tmp_path, f"[profile.x]\n{profile}\n")
    (told,) = mistakes(text)
    assert words in told
    assert int(told.split(":")[1]) >= line(text, "[profile.x]")


def test_a_project_cannot_end_before_it_starts(tmp_path: Path) -> None:
    (told,) = mistakes(site_text(tmp_path, "[project.x]\naccount='a'\nstart=2026-02-01\nend=2026-01-01\n"))
    assert "ends (2026-01-01) before it starts (2026-02-01)" in told


@pytest.mark.parametrize("name", ["Big", "a_b", "-a", "a" * 41, "a b"])
def test_a_name_of_the_sites_own_is_small_letters_digits_and_hyphens(tmp_path: Path, name: str) -> None:
    assert name in mistakes(site_text(tmp_path, f'[image."{name}"]\n'))[0]


def test_a_path_must_be_absolute(tmp_path: Path) -> None:
    (told,) = mistakes(site_text(tmp_path).replace(f'state_dir = "{tmp_path}"', 'state_dir = "here"'))
    assert told == "site.toml:2: hub.state_dir: here is not an absolute path"


def test_a_file_that_is_not_toml_is_said_so() -> None:
    with pytest.raises(FabricError, match=r"site\.toml is not valid TOML: .*line 2"):
        parse("[hub]\nx = = 1\n")


def test_a_file_that_cannot_be_read_names_the_path_and_the_variable(tmp_path: Path) -> None:
    with pytest.raises(FabricError) as caught:
        load(tmp_path / "missing.toml")
    assert str(tmp_path / "missing.toml") in caught.value.message
    assert ENV in caught.value.hint


def test_a_file_that_is_not_text_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(FabricError, match="not UTF-8"):
        load(tmp_path / "site.toml")


def test_the_environment_says_where_the_file_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV, "/srv/site.toml")
    assert path_from_environment() == Path("/srv/site.toml")
    monkeypatch.setenv(ENV, "")
    assert path_from_environment() == Path("/etc/fabric-hub/site.toml")


def test_sessions_reach_the_service_through_the_public_address(tmp_path: Path) -> None:
    assert a_site(tmp_path).service_url_for_nodes == "http://127.0.0.1:8000/services/fabric/api"
    text = site_text(tmp_path).replace("[hub]", "[hub]\nnodes_url = 'https://hub.example.org/j/'")
    assert parse(text).service_url_for_nodes == "https://hub.example.org/j/services/fabric/api"


LOCATIONS = st.lists(
    st.sampled_from(["hub", "profile", "gpu-1", "gpus", "a b", "0", ""]) | st.text(max_size=5), max_size=5
)
LINES = st.one_of(
    st.sampled_from(
        ["[hub]", "[profile.gpu-1]", "gpus = 1", '"a b".gpus = 2', "[[x]]", "[", "=", "# gpus = 1", "\u2028"]
    ),
    st.text(max_size=20),
)


@given(text=st.lists(LINES, max_size=12).map("\n".join), loc=LOCATIONS)
def test_a_mistake_is_always_placed_on_a_line_that_the_file_has(text: str, loc: list[str]) -> None:
    assert 1 <= line_of(text, loc) <= text.count("\n") + 1


@pytest.mark.parametrize(
    ("loc", "expected"),
    [
        (["hub", "id"], 2),
        (["hub", "missing"], 1),
        (["profile", "a.b", "cpus"], 1),
        (["profile", "gpu", "cpus"], 5),
        (["project", "x", "members", "owner", "0"], 7),
        (["nothing"], 1),
    ],
)
def test_the_deepest_place_that_the_file_has_is_found(loc: list[str], expected: int) -> None:
    text = "[hub]  # \u2028 \x0c\nid = 'a'\n\n[profile.gpu]\ncpus = 1\n[project.x]\nmembers.owner = ['a']\n"
    assert line_of(text, loc) == expected


def test_settings_are_never_read_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = a_site(tmp_path)
    for name in ("HUB", "HUB__ID", "ID"):
        monkeypatch.setitem(os.environ, name, "evil")
    assert a_site(tmp_path) == before
    assert isinstance(before, Settings)


def test_a_session_is_told_where_datasets_are_and_whom_to_ask_for_them(tmp_path: Path) -> None:
    site = a_site(tmp_path, "[catalogue]\ndata_dir = '/data'\nnode_socket = '/run/n.sock'\n")
    assert site.dataset_environment(["wind-farm", "soil"]) == {
        "FABRIC_DATASETS": "wind-farm,soil",
        "FABRIC_DATA_DIR": "/data",
        "FABRIC_NODE_SOCKET": "/run/n.sock",
    }
    assert a_site(tmp_path).dataset_environment([]) == {}


def test_where_nobody_is_kept_apart_there_is_no_agent_to_ask(tmp_path: Path) -> None:
    site = a_site(tmp_path, "[catalogue]\n[users]\nshared_account = true\n")
    assert site.dataset_environment(["soil"]) == {"FABRIC_DATASETS": "soil", "FABRIC_DATA_DIR": "/data"}


def test_a_mistake_in_one_of_many_tables_is_reported_with_its_own_line() -> None:
    storage = (
        '[[quotas.storage]]\nkind = "quota"\npath = "/home"\n[[quotas.storage]]\nkind = "lustre"\npath = "scratch"\n'
    )
    text = least_site_text(Path("/srv"), storage)
    with pytest.raises(FabricError, match=r"site\.toml:10: quotas\.storage\.1\.path: scratch is not an absolute path"):
        parse(text)


@pytest.mark.parametrize("place", ["{home}/rescue", "rescue/{user}", "/rescue"])
def test_rescue_sessions_live_outside_the_home_and_apart(place: str) -> None:
    text = least_site_text(Path("/srv"), f'[users]\nrescue_dir = "{place}"\n')
    with pytest.raises(FabricError, match=r"site.toml:\d: users: rescue_dir .* is no absolute path with {user} in it"):
        parse(text)
    assert parse(text.replace(place, "/rescue/{user}")).users.rescue_dir == "/rescue/{user}"


@pytest.mark.parametrize(
    ("rescue", "says"),
    [("nothing", "'nothing' is not a \\[profile.NAME\\] of this file"), ("gpu", "'gpu' has GPUs")],
)
def test_a_rescue_profile_is_one_of_the_file_without_gpus(rescue: str, says: str) -> None:
    more = f'[slurm]\n[profile.gpu]\ngpus = 1\n[quotas]\nrescue_profile = "{rescue}"\n'
    text = least_site_text(Path("/srv"), more)
    with pytest.raises(FabricError, match=f"site.toml:9: quotas.rescue_profile: {says}"):
        parse(text)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (
            "internal_ssl = true\nbind_url = 'http://10.0.0.1:8000'\nhub_ip = '10.0.0.1'",
            "over internal TLS (10.0.0.1:8081)",
        ),
        ("bind_url = 'http://10.0.0.1:8000'", None),
        ("hub_ip = '10.0.0.1'", None),
        ("hub_ip = '10.0.0.1'\nnodes_plain_http = true", "over plain HTTP to http://10.0.0.1:8081"),
        ("", "without TLS, and only on this host"),
        ("public_url = 'https://hub.example.org'", "every authority of their node's store"),
        ("public_url = 'https://hub.example.org'\nnodes_ca = '/ca.crt'", "trust the authorities in /ca.crt only"),
    ],
)
def test_where_sessions_send_their_tokens_is_told_and_plain_http_to_another_host_takes_a_word(
    tmp_path: Path, more: str, told: str | None
) -> None:
    text = site_text(tmp_path)
    text = text.replace("internal_ssl = false\n", "") if "internal_ssl" in more else text
    text = text.replace("[hub]", f"[hub]\n{more}", 1)
    if told is None:
        with pytest.raises(FabricError, match=r"plain HTTP to http://10\.0\.0\.1:80(00|81): .*nodes_plain_http = true"):
            parse(text)
    else:
        assert told in str(of_sessions_trust(parse(text).hub).about)
