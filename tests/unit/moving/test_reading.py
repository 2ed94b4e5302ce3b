"""Reading a configuration in a process of its own. Each of these starts one or two."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

import pytest

from fabric_hub.config.settings import parse
from fabric_hub.errors import FabricError
from fabric_hub.moving.model import Judged, OldFile, Unrun, Verdict
from fabric_hub.moving.reading import read
from fabric_hub.moving.site_file import first_site
from fabric_hub.moving.verdicts import judge
from tests.support.waiting import until

from .support import OLD_CONFIGS, codes

K, R, U, X = Verdict.KEPT, Verdict.REPLACED, Verdict.UNUSED, Verdict.REFUSED


def copied(name: str, directory: Path) -> Path:
    """A configuration of this account's own, whoever has the checkout."""
    directory.chmod(0o700)
    path = directory / f"{name}.py"
    shutil.copyfile(OLD_CONFIGS / path.name, path)
    path.chmod(0o600)
    return path


def by_setting(found: tuple[Judged, ...]) -> dict[str, tuple[Verdict, list[str]]]:
    return {one.setting: (one.verdict, codes(one.why)) for one in found}


def lines_are_right(file: OldFile) -> bool:
    lines = file.text.splitlines()
    return all(one.name in lines[one.line - 1] or "setattr(" in lines[one.line - 1] for one in file.settings)


def test_a_batch_script_that_loads_modules(tmp_path: Path) -> None:
    path = copied("modules", tmp_path)
    file = read(path)
    assert (file.unrun, file.fault, file.missing) == (None, None, ())
    assert file.ran_as == pwd.getpwuid(os.geteuid()).pw_name
    assert lines_are_right(file)
    said = by_setting(judge(file))
    assert {setting for setting, (verdict, _) in said.items() if verdict is X} == {"JupyterHub.services"}
    assert said["SlurmSpawner.batch_script"] == (
        R,
        ["move-by-script", "move-script-options", "move-script-prologue", "move-script-left"],
    )
    assert said["BatchSpawnerBase.exec_prefix"] == (U, ["move-by-gateway"])
    assert said["JupyterHub.db_url"] == (K, ["move-as-before"])
    text = first_site(file)
    made = parse(text)
    assert made.gateway.prologue.splitlines()[1] == "module load python/3.11 cuda/12.2"
    assert (made.hub.bind_url, made.hub.hub_ip) == ("https://jupyter.example.org:443", "10.0.0.5")
    assert made.login.kind == "pam"
    profile = made.profile["default"]
    assert (profile.partition, profile.cpus, profile.memory, profile.max_hours) == ("interactive", 4, "16G", 12)
    assert profile.gres == ("gpu:v100:1",)
    assert made.project["jupyter"].members.member == ("alice", "bob", "carol")
    assert "# not taken over: --constraint=skylake" in text
    stopping = [one.line for one in file.settings if one.name in ("spawner_class", "services")]
    assert f"what stops the hub in line {', '.join(map(str, stopping))}:" in text


def test_profiles_by_partition(tmp_path: Path) -> None:
    file = read(copied("profiles", tmp_path))
    found = judge(file)
    said = by_setting(found)
    assert lines_are_right(file)
    assert said["ProfilesSpawner.profiles"] == (R, ["move-by-profiles"])
    assert said["Spawner.options_form"] == (R, ["move-by-form", "move-left-over"])
    assert said["GenericOAuthenticator.client_secret"] == (K, ["move-as-before"])
    assert not [one for one in found if one.verdict is X]
    text = first_site(file)
    assert "not-to-be-shown-anywhere" not in text + "".join(one.model_dump_json() for one in found)
    made = parse(text)
    assert list(made.profile) == ["small", "a100-x2", "long"]
    small, large, long = made.profile.values()
    assert (small.partition, small.cpus, small.memory, small.default_hours) == ("interactive", 2, "4G", 8)
    assert (large.gres, large.qos, large.max_hours) == (("gpu:a100:2",), "gpu-day", 24)
    assert (long.partition, long.cpus, long.max_hours) == ("long", 8, 4)
    assert "# Not taken over: the profile On this machine is of jupyterhub.spawner.LocalProcessSpawner." in text
    assert made.gateway.prologue.strip() == "module load anaconda"


def test_a_hook_that_picks_a_partition_by_group(tmp_path: Path) -> None:
    file = read(copied("groups", tmp_path))
    assert [(one.module, file.text.splitlines()[one.line - 1]) for one in file.missing] == [
        ("site_directory_login", "from site_directory_login import DirectoryAuthenticator")
    ]
    assert lines_are_right(file)
    found = judge(file)
    said = by_setting(found)
    assert said["SlurmSpawner.pre_spawn_hook"] == (K, ["move-hook"])
    assert said["JupyterHub.spawner_class"] == (R, ["move-by-spawner", "move-own-methods", "move-left-over"])
    assert said["JupyterHub.load_roles"] == (K, ["move-added"])
    assert said["JupyterHub.template_vars"] == (X, ["move-drops", "move-drops.hint"])
    assert said["SiteSpawner.req_runtime"] == (U, ["move-other-class"])
    assert said["Spawner.notebook_dir"][0] is K, "set by a loop: known because the file was run"
    assert said["Spawner.debug"][1][-1] == "move-not-reached"
    made = parse(first_site(file))
    assert made.profile["default"].max_hours == 4
    assert made.gateway.environment_from_hub == ("http_proxy",)


def test_a_file_that_is_not_run_is_looked_at(tmp_path: Path) -> None:
    path = copied("groups", tmp_path)
    file = read(path, run=False)
    assert (file.unrun, file.missing) == (Unrun.ASKED, ())
    said = by_setting(judge(file))
    assert "Spawner.notebook_dir" not in said
    assert said["SlurmSpawner.pre_spawn_hook"] == (K, ["move-hook"])
    parse(first_site(file))


def test_a_file_that_fails_says_where_and_what_stands_after_it_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "old.py"
    path.write_text(
        "import os\nc.Spawner.debug = True\nc.Spawner.http_timeout = 5\nc.Spawner.http_timeout = 6\n"
        "try:\n    import not_there\nexcept ImportError:\n    not_there = None\n"
        "c.JupyterHub.tornado_settings['x'] = not_there\nc.JupyterHub.db_url = os.environ['NOT_SET_HERE']\n"
        "c.Spawner.default_url = '/lab'\n"
    )
    path.chmod(0o600)
    file = read(path)
    assert file.fault
    assert (file.fault.line, file.fault.error) == (10, "KeyError: 'NOT_SET_HERE'")
    assert file.missing == (), "the file expects that import to fail"
    told = {(one.key, one.line): (one.ran, one.again) for one in file.settings}
    assert told["Spawner.http_timeout", 3] == (True, 4)
    assert told["JupyterHub.tornado_settings", 9] == (True, 0)
    assert told["Spawner.default_url", 11] == (False, 0)
    assert [one.why.code for one in judge(file) if one.verdict is X] == ["move-fault"]


def test_a_file_that_does_not_end_is_stopped_and_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "old.py"
    path.write_text("import time\nc.Spawner.debug = True\nwhile True:\n    time.sleep(1)\n")
    path.chmod(0o600)
    file = read(path, limit_s=0.01)
    assert file.unrun is Unrun.TOO_LONG
    assert [one.key for one in file.settings] == ["Spawner.debug"]


def test_nothing_that_a_file_started_is_left(tmp_path: Path) -> None:
    path, note = tmp_path / "old.py", tmp_path / "pid"
    path.write_text(
        "import os, subprocess\nc.Spawner.debug = True\n"
        f"open({str(note)!r}, 'w').write(str(subprocess.Popen(['sleep', '600']).pid))\n"
        "os._exit(3)\n"
    )
    path.chmod(0o600)
    assert read(path).unrun is Unrun.DIED
    started = Path("/proc") / note.read_text() / "stat"
    until(lambda: not started.exists() or " Z " in started.read_text(), "the process has ended")


@pytest.mark.skipif(os.geteuid() != 0, reason="what root does not run, others may")
def test_root_runs_no_file_that_others_can_change_and_another_accounts_as_that_account(tmp_path: Path) -> None:
    path, note = tmp_path / "old.py", tmp_path / "uid"
    path.write_text(f"import os\nopen({str(note)!r}, 'w').write(str(os.geteuid()))\nc.Spawner.debug = True\n")
    path.chmod(0o666)
    tmp_path.chmod(0o755)
    assert read(path).unrun is Unrun.NOT_OURS
    assert not note.exists()
    path.chmod(0o644)
    nobody = pwd.getpwnam("nobody")
    os.chown(path, nobody.pw_uid, nobody.pw_gid)
    file = read(path)
    assert file.unrun in (None, Unrun.DIED), "that account may not reach this machine's Python"
    assert not note.exists(), "it may not write here either, and root has not done it"


@pytest.mark.skipif(os.geteuid() != 0, reason="what root does not run, others may")
def test_root_runs_no_file_of_its_own_where_somebody_can_put_another_in_its_place(tmp_path: Path) -> None:
    theirs, note = tmp_path / "theirs", tmp_path / "ran"
    place = theirs / "etc"
    place.mkdir(parents=True)
    path = place / "old.py"
    path.write_text(f"open({str(note)!r}, 'w').close()\nc.Spawner.debug = True\n")
    nobody = pwd.getpwnam("nobody")
    os.chown(theirs, nobody.pw_uid, nobody.pw_gid)
    assert read(path).unrun is Unrun.NOT_OURS, "its owner may move the directory in it"
    assert not note.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="what root does not run, others may")
def test_root_runs_the_file_that_it_has_looked_at_and_not_what_a_link_leads_to_by_then(tmp_path: Path) -> None:
    place, theirs = tmp_path / "etc", tmp_path / "theirs"
    for directory in (place, theirs):
        directory.mkdir(mode=0o755)
    (place / "old.py").write_text("c.Spawner.debug = True\n")
    (theirs / "link").symlink_to(place)
    nobody = pwd.getpwnam("nobody")
    os.chown(theirs, nobody.pw_uid, nobody.pw_gid)
    os.chown(theirs / "link", nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    file = read(theirs / "link" / "old.py")
    assert (file.unrun, file.path) == (None, os.path.realpath(place / "old.py")), "not the way by their link"
    assert {one.file for one in file.settings} == {file.path}


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FabricError, match="cannot be read: No such file"):
        read(tmp_path / "none.py")


def test_an_answer_that_is_none_of_ours_counts_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "old.py"
    path.write_text(
        "import os, sys\nc.Spawner.debug = True\nos.write(int(sys.argv[1]), b'{\"settings\": 1}')\nos._exit(0)\n"
    )
    path.chmod(0o600)
    file = read(path)
    assert (file.unrun, [one.key for one in file.settings]) == (Unrun.DIED, ["Spawner.debug"])
