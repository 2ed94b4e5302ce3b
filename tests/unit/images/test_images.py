"""Which build an image needs, which may go, and what a person is told when there is none."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from fabric_hub.cli import images as cli
from fabric_hub.errors import FabricError
from fabric_hub.images import build, recipe, wheel
from fabric_hub.messages.text import verbatim
from fabric_hub.messages.texts.images import INSTALLING_WHEEL

RECIPE = """
title = "Small"
test = ["true"]
[locks]
cpu = "cpu.lock"
cuda = "cuda.lock"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with one image."""
    small = tmp_path / "checkout/images/small"
    small.mkdir(parents=True)
    (small / "image.toml").write_text(RECIPE)
    (small / "cpu.lock").write_text("a==1\n")
    (small / "cuda.lock").write_text("a==2\n")
    extensions = tmp_path / "checkout/extensions"
    extensions.mkdir()
    (extensions / "code.py").write_text("1\n")
    (tmp_path / "checkout/fabric_hub").mkdir()
    (tmp_path / "checkout" / wheel.VERSION).write_text('__version__ = "1.0.0"\n')
    return tmp_path / "checkout"


def identity(root: Path, variant: str = "cpu") -> str:
    return recipe.build_id(recipe.load("small", root), variant, wheel.digest(root), "3.11.2")


def test_an_unknown_image_is_refused_with_the_known_ones(root: Path) -> None:
    with pytest.raises(FabricError, match="There is no image 'smal'; known images: small"):
        recipe.load("smal", root)


@pytest.mark.parametrize("name", ["../small", "/etc", "small/.."])
def test_a_name_never_leads_out_of_the_recipes(root: Path, name: str) -> None:
    with pytest.raises(FabricError, match="There is no image"):
        recipe.load(name, root)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("title =", "is not valid TOML"),
        ('title = "x"\ntest = []\n[locks]\ncpu = "cpu.lock"', "test: "),
        ('title = "x"\ntest = ["true"]\ncolour = 1\n[locks]\ncpu = "cpu.lock"', "colour: Extra inputs"),
        ('title = "x"\ntest = ["true"]\n[locks]\ncpu = "gone.lock"', "names the lock file gone.lock"),
    ],
)
def test_a_recipe_with_a_mistake_is_named_with_it(root: Path, text: str, says: str) -> None:
    (root / "images/small/image.toml").write_text(text)
    with pytest.raises(FabricError, match=r"image\.toml") as caught:
        recipe.load("small", root)
    assert says in caught.value.text


def test_a_machine_without_a_gpu_takes_the_cpu_packages(root: Path) -> None:
    image = recipe.load("small", root)
    assert image.variant(None, has_gpu=False) == "cpu"
    assert image.variant(None, has_gpu=True) == "cuda"
    assert image.variant("cpu", has_gpu=True) == "cpu"
    with pytest.raises(FabricError, match="has no variant 'rocm'; it has cpu, cuda"):
        image.variant("rocm", has_gpu=True)


def test_a_build_changes_with_what_goes_into_it_and_with_nothing_else(root: Path) -> None:
    before = identity(root)
    assert identity(root) == before
    assert identity(root, "cuda") != before
    for derived in ("extensions/node_modules/x.js", "extensions/dist/a.whl", "extensions/__pycache__/code.pyc"):
        (root / derived).parent.mkdir(exist_ok=True)
        (root / derived).write_text("made by a build")
    assert identity(root) == before
    (root / "extensions/dev").mkdir()
    (root / "extensions/dev/format.test.ts").write_text("what checks the front end is no part of it")
    assert identity(root) == before
    (root / "extensions/code.py").write_text("2\n")
    assert identity(root) != before
    (root / "extensions/code.py").write_text("1\n")
    assert identity(root) == before
    (root / wheel.VERSION).write_text('__version__ = "1.0.1"\n')
    assert identity(root) != before
    (root / wheel.VERSION).write_text('__version__ = "1.0.0"\n')
    (root / "images/small/cpu.lock").write_text("a==3\n")
    assert identity(root) != before


def test_what_a_release_installed_is_built_with_the_wheel_it_brought(root: Path) -> None:
    shutil.rmtree(root / "extensions")
    with pytest.raises(FabricError, match=r"shipped holds 0 wheels of fabric-lab, and an image needs one"):
        wheel.extension_wheel(root, print)
    brought = root / wheel.SHIPPED / "fabric_lab-1.0.0-py3-none-any.whl"
    brought.parent.mkdir()
    brought.write_bytes(b"one")
    assert wheel.extension_wheel(root, print) == brought
    before = identity(root)
    brought.write_bytes(b"two")
    assert identity(root) != before


def test_where_no_recipes_are_the_next_step_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(recipe.SOURCE_ENV, str(tmp_path))
    with pytest.raises(FabricError, match="holds no recipes of images") as caught:
        recipe.source_root()
    assert "set FABRIC_HUB_SOURCE to a checkout" in caught.value.hint


def test_builds_stay_while_sessions_may_run_in_them() -> None:
    day = 86400.0
    now = 1000 * day
    retired = {"live": 0.0, "before": now - 90 * day, "recent": now - 2 * day, "old": now - 91 * day}
    assert build.to_remove(retired, "live", now) == ["before", "old"]
    assert build.to_remove({"live": 0.0, "before": now - 90 * day}, "live", now) == []
    assert build.to_remove({"live": 0.0}, "live", now) == []


def test_switching_replaces_the_link_at_once_and_says_whether_it_did(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / build.MARK).write_text("{}")
    assert build._switch(tmp_path, "one")
    assert not build._switch(tmp_path, "one")
    assert build._switch(tmp_path, "two")
    assert os.readlink(tmp_path / "current") == "two"


def test_an_unfinished_build_is_not_live(root: Path, tmp_path: Path) -> None:
    (tmp_path / "small/abc").mkdir(parents=True)
    (tmp_path / "small/current").symlink_to("abc")
    assert cli._live(tmp_path / "small") == "-"


def test_opening_to_all_gives_everybody_reading_and_nobody_else_writing(tmp_path: Path) -> None:
    program, data, folder = tmp_path / "program", tmp_path / "data", tmp_path / "folder"
    program.touch(mode=0o700)
    data.touch()
    data.chmod(0o666)
    folder.mkdir(mode=0o700)
    build._open_to_all(tmp_path)
    assert [path.stat().st_mode & 0o777 for path in (program, data, folder)] == [0o755, 0o644, 0o755]


def test_a_step_that_fails_shows_the_end_of_what_it_said() -> None:
    with pytest.raises(FabricError, match=r"Installing 20 failed \(status 3\)\.\n(.*\n)*20"):
        wheel.run(["sh", "-c", "seq 20; exit 3"], doing=INSTALLING_WHEEL(wheel="20"), cwd=Path("/"))


@pytest.mark.root
def test_a_full_disk_is_called_a_full_disk(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "fabric-test", str(small)], check=True)
    try:
        with pytest.raises(FabricError, match="The disk is full: copying stopped") as caught:
            wheel.run(["cp", "/usr/bin/python3", str(small)], doing=verbatim("copying"), cwd=small)
        assert "images.dir" in caught.value.hint
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_missing_tool_is_named() -> None:
    with pytest.raises(FabricError, match="no-such-tool is missing, needed for installing 20"):
        wheel.run(["no-such-tool"], doing=INSTALLING_WHEEL(wheel="20"), cwd=Path("/"))


def test_tools_see_nothing_of_the_callers_python() -> None:
    kept = wheel.clean_environment(
        {"PATH": "/bin", "PYTHONPATH": "/x", "PYTHONDONTWRITEBYTECODE": "1", "VIRTUAL_ENV": "/v", "LANG": "C"}
    )
    assert "PYTHONPATH" not in kept
    assert "PYTHONDONTWRITEBYTECODE" not in kept
    assert "VIRTUAL_ENV" not in kept
    assert kept["LANG"] == "C"
    assert kept["PATH"].endswith(":/bin")


def test_every_recipe_of_ours_is_whole_and_its_locks_name_no_host(capsys: pytest.CaptureFixture[str]) -> None:
    root = recipe.source_root()
    assert {"base", "pytorch", "science"} <= set(recipe.known(root))
    for name in recipe.known(root):
        image = recipe.load(name, root)
        for lock in image.recipe.locks.values():
            text = (image.directory / lock).read_text()
            assert "--hash=sha256:" in text
            for host in ("://", "--index-url", "--extra-index-url", "--find-links"):
                assert host not in text, f"{lock} of {name} names {host}"


def test_what_base_promises_all_images_do() -> None:
    root = recipe.source_root()
    base = set(recipe.load("base", root).recipe.modules)
    assert {"fabric_lab", "numpy", "sklearn", "plotly", "h5py", "pyarrow"} <= base
    for name in recipe.known(root):
        assert base <= set(recipe.load(name, root).recipe.modules), name


def test_of_two_exporters_of_one_name_nbconverts_own_goes(tmp_path: Path) -> None:
    packages = tmp_path / "lib/python3.11/site-packages"
    for name, text in (
        ("nbconvert", "[console_scripts]\npdf = a:b\n\n[nbconvert.exporters]\nhtml = a:Html\npdf = a:Tex\n"),
        ("fabric_lab", "[nbconvert.exporters]\npdf = ours:Pdf\n"),
    ):
        about = packages / f"{name}-1.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        (about / "entry_points.txt").write_text(text)
    build._prefer_others_exporters(tmp_path)
    kept = (packages / "nbconvert-1.dist-info/entry_points.txt").read_text()
    assert kept == "[console_scripts]\npdf = a:b\n\n[nbconvert.exporters]\nhtml = a:Html\n"
    assert "ours:Pdf" in (packages / "fabric_lab-1.dist-info/entry_points.txt").read_text()


def test_the_command_line_lists_images_and_checks_a_build(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    cli.add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(["images", "list", "--images", str(tmp_path)])
    assert args.run(args) == 0
    assert "base" in capsys.readouterr().out
    args = parser.parse_args(["images", "build", "base", "--check", "--images", str(tmp_path)])
    assert args.run(args) == 1
    assert "live is -, wanted is " in capsys.readouterr().out
