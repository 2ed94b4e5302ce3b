"""The real image ``base``: for everybody, at once the second time, and never half built."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.images import recipe
from fabric_hub.images.build import build

pytestmark = pytest.mark.image


def test_an_unchanged_image_is_ready_at_once(image_dir: Path, images: Path) -> None:
    started = time.monotonic()
    assert build("base", images, print) == image_dir.resolve()
    assert time.monotonic() - started < 10, "it takes half a minute to build one"


def test_everybody_can_read_an_image_and_nobody_else_write_it(image_dir: Path) -> None:
    for directory, folders, files in os.walk(image_dir.resolve()):
        for name in (*folders, *files):
            path = Path(directory, name)
            if path.is_symlink():
                continue
            mode = path.stat().st_mode
            assert mode & 0o044 == 0o044, path
            assert mode & 0o022 == 0, path


def test_every_module_of_an_image_is_compiled_ahead(image_dir: Path) -> None:
    """A session's user could not write the bytecode, and would compile for seconds at every start."""
    for package in ("jupyter_server", "jupyterlab", "jupyterhub", "fabric_lab", "traitlets"):
        folder = next(image_dir.glob(f"lib/python3*/site-packages/{package}"))
        for source in folder.glob("*.py"):
            assert list((folder / "__pycache__").glob(f"{source.stem}.*.pyc")), source


@pytest.mark.root
def test_a_user_with_another_home_runs_a_kernel(image_dir: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    hostile = home / ".local/lib/python3.11/site-packages"
    hostile.mkdir(parents=True)
    (hostile / "ipykernel.py").write_text("raise SystemExit('the home directory was imported')")
    for path in (home, *home.rglob("*")):
        os.chown(path, 65534, 65534)
    for path in home.parents:
        if path != Path("/") and path.stat().st_uid == 0 and path.is_relative_to("/tmp"):  # pytest's own are 0700
            path.chmod(path.stat().st_mode | 0o011)
    code = """
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3")
client.execute_interactive("import os; print(os.getuid(), os.path.realpath(os.sys.prefix))", timeout=60)
client.stop_channels(); manager.shutdown_kernel(now=True)
"""
    done = subprocess.run(
        [image_dir / "bin/python", "-I", "-c", code],
        env={"HOME": str(home), "PATH": os.defpath, "PYTHONPATH": str(hostile)},
        cwd=home,
        user=65534,
        group=65534,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == f"65534 {image_dir.resolve()}\n", done.stderr


def test_a_build_whose_test_fails_is_never_visible(image_dir: Path, images: Path, tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    source = recipe.source_root()
    broken = root / "images/broken"
    shutil.copytree(source / "images/base", broken)
    for part in ("extensions", "fabric_hub"):
        (root / part).symlink_to(source / part)
    packages = (broken / "requirements.lock").read_text()
    kernel = re.search(
        r"^ipykernel==(?:.*\\\n)*.*\n", packages, re.MULTILINE
    )  # the one package that no build is without
    assert kernel
    (broken / "requirements.lock").write_text(kernel[0])
    text = re.sub(r"modules = \[.*?\]", "modules = MODULES", (broken / "image.toml").read_text(), flags=re.DOTALL)
    text = text.replace('"test.py"', '"-c", "raise SystemExit(\'no such thing\')"')
    (broken / "image.toml").write_text(text.replace("MODULES", '["json"]'))
    with pytest.raises(FabricError, match=r"The test of image broken failed \(status 1\)\.\nno such thing"):
        build("broken", tmp_path / "images", print, root=root)
    (broken / "image.toml").write_text(text.replace("MODULES", '["json", "not_there"]'))
    with pytest.raises(FabricError, match=r"Importing what image broken promises failed(.|\n)*'not_there'"):
        build("broken", tmp_path / "images", print, root=root)
    assert not (tmp_path / "images/broken/current").is_symlink()
    assert [path.name for path in (tmp_path / "images/broken").iterdir()] == [".lock"]
