"""Packing: the same content makes the same image, what must not go in is refused by name, nothing is half there."""

from __future__ import annotations

import fcntl
import os
import resource
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fabric_hub.catalogue import switch_user
from fabric_hub.catalogue.pack import tree
from fabric_hub.catalogue.pack import versions as pack
from fabric_hub.datasets.model import Version
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from tests.support.datasets_site import Place, apart, catalogue_service, make_site

pytestmark = pytest.mark.skipif(not shutil.which("mksquashfs"), reason="squashfs-tools is not installed")


@pytest.fixture
def place(sandbox: Path) -> Iterator[Place]:
    with tempfile.TemporaryDirectory(dir=sandbox) as root:
        yield make_site(Path(root))


@pytest.fixture
def source(place: Place) -> Path:
    """A directory that only its owner may read."""
    made = place.directory("source")
    made.chmod(0o700)
    return fill(made)


def fill(directory: Path) -> Path:
    """Files in two directories, an empty one, two links, one of them to nothing."""
    (directory / "turbines" / "north").mkdir(parents=True)
    (directory / "empty").mkdir()
    (directory / "readme").write_text("Ten-minute values.\n")
    for number in range(20):
        (directory / "turbines" / f"t{number}.csv").write_text(f"{number},{number * 7}\n" * 500)
    (directory / "turbines" / "north" / "values.csv.gz").write_bytes(bytes(range(256)) * 2000)
    (directory / "first.csv").symlink_to("turbines/t0.csv")
    (directory / "turbines" / "later.csv").symlink_to("../not-yet.csv")
    return directory


def packed(place: Place, source: Path, version: str = "1", **more: Any) -> Version:
    return pack.pack(place.datasets, "wind-farm", version, source, **more)


def store_of(place: Place) -> list[str]:
    return sorted(path.name for path in place.datasets.store.rglob("*") if not path.is_dir())


def listing(image: str) -> list[list[str]]:
    said = subprocess.run(["unsquashfs", "-lln", image], capture_output=True, text=True, check=True).stdout
    return [line.split() for line in said.splitlines()]


def refused(source: Path) -> list[str]:
    with pytest.raises(FabricError) as caught:
        tree.survey(source)
    assert caught.value.reason == "source"
    return [line.strip() for line in caught.value.message.splitlines()[1:]]


def test_an_image_holds_the_directory_as_files_that_everybody_may_read_and_nobody_write(
    place: Place, source: Path
) -> None:
    (source / "readme").chmod(0o600)
    made = packed(place, source)
    assert (made.kind, made.files, made.formats) == ("image", 22, {"": 1, "csv": 20, "csv.gz": 1})
    assert made.bytes == os.path.getsize(made.path)
    out = place.root / "out"
    subprocess.run(["unsquashfs", "-quiet", "-no-progress", "-d", str(out), made.path], check=True, capture_output=True)
    assert subprocess.run(["diff", "-r", "--no-dereference", source, out], check=False).returncode == 0
    kinds = {"d": "dr-xr-xr-x", "-": "-r--r--r--", "l": "lrwxrwxrwx"}
    for mode, owner, _, day, time, *_ in listing(made.path):
        assert (mode, owner, day, time) == (kinds[mode[0]], "0/0", "1970-01-01", "00:00")


def test_an_image_in_the_store_is_the_catalogue_services_alone(place: Place, source: Path) -> None:
    made = packed(place, source)
    for path, mode in ((Path(made.path), 0o400), (Path(made.path).parent, 0o700)):
        status = path.stat()
        assert (stat.S_IMODE(status.st_mode), status.st_uid) == (mode, catalogue_service().pw_uid)
    assert store_of(place) == [f"1-{made.sha256}.sqfs"]


@pytest.mark.parametrize("compression", ["zstd", "none"])
def test_the_same_names_and_contents_make_the_same_image(
    place: Place, source: Path, compression: pack.Compression
) -> None:
    shutil.copyfile(source / "readme", source / "same")
    first = packed(place, source, compression=compression)
    other = place.directory("other")  # filled in another order, with other times and modes, and a hard link
    for path in sorted(source.rglob("*"), reverse=True):
        there = other / path.relative_to(source)
        there.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            there.symlink_to(os.readlink(path))
        elif path.is_dir():
            there.mkdir(exist_ok=True)
        else:
            shutil.copyfile(path, there)
            there.chmod(0o640)
            os.utime(there, (1, 1))
    (other / "same").unlink()
    os.link(other / "readme", other / "same")
    assert packed(place, source, "2", compression=compression).sha256 == first.sha256
    assert packed(place, other, "3", compression=compression).sha256 == first.sha256
    (other / "empty").rmdir()
    assert packed(place, other, "4", compression=compression).sha256 != first.sha256


def test_everything_that_must_not_go_in_is_named_and_nothing_is_written(place: Place, source: Path) -> None:
    os.mkfifo(source / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(source / "socket"))
    (source / "suid").write_text("x")
    (source / "suid").chmod(0o4755)
    (source / "sgid").write_text("x")
    (source / "sgid").chmod(0o2755)
    (source / "passwd").symlink_to("/etc/passwd")
    (source / "turbines" / "up").symlink_to("../../other/file")
    (source / "turbines" / "round").symlink_to(f"../../{source.name}/readme")
    (source / "hop").symlink_to("turbines/up/../x")
    (source / "loop").symlink_to("loop")
    named = {line.split(":")[0] for line in refused(source)}
    assert named == {
        "pipe", "socket", "suid", "sgid", "passwd", "turbines/up", "turbines/round", "hop", "loop",
    }  # fmt: skip
    with pytest.raises(FabricError, match="set-user-ID"):
        packed(place, source)
    assert store_of(place) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a device, or act as somebody else")
def test_devices_and_what_the_caller_cannot_read_are_refused(place: Place, source: Path) -> None:
    os.mknod(source / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    assert refused(source) == ["null: a device"]
    (source / "null").unlink()
    source.chmod(0o755)
    (source / "readme").chmod(0o600)
    (source / "turbines" / "north").chmod(0o700)
    with switch_user.for_a_moment(switch_user.catalogue_account(place.datasets)):
        named = refused(source)
        with pytest.raises(FabricError, match="readme: "):
            packed(place, source)
    assert named == ["readme: cannot be read: Permission denied", "turbines/north: Permission denied"]
    assert packed(place, source).files == 22  # root reads them


def test_a_directory_that_is_none_or_holds_nothing_is_refused(place: Place) -> None:
    with pytest.raises(FabricError, match="is not a directory"):
        packed(place, place.root / "nothing")
    with pytest.raises(FabricError, match="no file"):
        packed(place, place.directory("hollow"))


def test_a_directory_that_changes_meanwhile_is_refused(place: Place, source: Path) -> None:
    def change(said: Text) -> None:
        if str(said).startswith(("Packing", "Reading")):
            (source / "readme").write_text(str(said))

    with pytest.raises(FabricError, match="changed while it was packed"):
        packed(place, source, say=change)
    assert store_of(place) == []
    with pytest.raises(FabricError, match="changed while it was read"):
        pack.link(place.datasets, "1", source, say=change)


def test_nobody_can_put_another_directory_or_file_in_while_it_is_read(place: Place, source: Path) -> None:
    elsewhere = place.directory("elsewhere")
    (elsewhere / "secret").write_text("x")
    problems: list[tree.Problem] = []
    seen = []
    for found in tree.walk(source, problems):
        seen.append(found.path)
        if found.path == "readme":
            (source / "readme").rename(source / "old")
            (source / "readme").symlink_to(elsewhere / "secret")
            with pytest.raises(OSError, match="symbolic links"):
                found.open()
            (source / "readme").unlink()
            os.link(elsewhere / "secret", source / "readme")
            with pytest.raises(OSError, match="was replaced"):
                found.open()
        if found.path == "turbines":
            (source / "turbines").rename(source / "away")
            (source / "turbines").symlink_to(elsewhere)
    assert not [path for path in seen if path.endswith("secret")]
    assert [f"{one.path}: {one.why}" for one in problems] == ["turbines: Not a directory"]


def test_a_name_that_looks_like_an_option_is_a_name(place: Place) -> None:
    odd = place.directory("-noappend")
    for name in ("-e", "a\nb", "über.csv", "x y"):
        (odd / name).write_text(name)
    (odd / os.fsdecode(b"\xff.csv")).write_text("latin")
    assert packed(place, odd).formats == {"": 3, "csv": 2}


def test_an_image_that_cannot_be_written_leaves_nothing(place: Place, source: Path) -> None:
    def small() -> int:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            packed(place, source, compression="none")
        except FabricError as error:
            print(error.reason)
            return 1
        return 0

    done = apart(small)
    assert (done.status, done.out) == (1, "pack\n")
    assert store_of(place) == []


def test_what_a_killed_one_left_goes_and_what_another_is_writing_stays(place: Place, source: Path) -> None:
    made = packed(place, source)
    left, busy = (Path(made.path).with_name(name) for name in (".0123.part", ".4567.part"))
    left.write_text("half")
    with busy.open("w") as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        packed(place, source, "2")
        assert busy.exists()
    assert not left.exists()


def test_packing_again_leaves_a_whole_image_alone_and_mends_a_damaged_one(place: Place, source: Path) -> None:
    made = packed(place, source)
    inode = os.stat(made.path).st_ino
    assert packed(place, source).sha256 == made.sha256
    assert os.stat(made.path).st_ino == inode
    damage(Path(made.path))
    assert pack.difference(place.datasets, made)
    packed(place, source)
    assert not pack.difference(place.datasets, made)


def damage(path: Path) -> None:
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.seek(600)
        byte = file.read(1)
        file.seek(600)
        file.write(bytes([byte[0] ^ 1]))


def test_what_differs_from_what_was_packed_is_said(place: Place, source: Path) -> None:
    made = packed(place, source)
    assert not pack.difference(place.datasets, made)
    damage(Path(made.path))
    assert f"not {made.sha256}" in str(pack.difference(place.datasets, made))
    with open(made.path, "ab") as file:
        file.write(b"more")
    assert f"not {made.bytes}" in str(pack.difference(place.datasets, made))
    Path(made.path).unlink()
    assert "No such file" in str(pack.difference(place.datasets, made))
    Path(made.path).symlink_to("/etc/passwd")
    assert "cannot be read" in str(pack.difference(place.datasets, made))


def test_a_directorys_digest_is_that_of_its_names_links_and_contents(place: Place, source: Path) -> None:
    first = pack.link(place.datasets, "1", source)
    assert (first.kind, first.path, first.files) == ("directory", str(source), 22)
    assert first.bytes == sum(
        os.path.getsize(path) for path in source.rglob("*") if path.is_file() and not path.is_symlink()
    )
    os.utime(source / "readme", (1, 1))
    (source / "readme").chmod(0o644)
    alias = place.root / "alias"
    alias.symlink_to(source)
    second = pack.link(place.datasets, "2", alias)
    assert (second.sha256, second.path) == (first.sha256, str(source))
    assert not pack.difference(place.datasets, first)
    seen = {first.sha256}

    def linked() -> None:
        (source / "first.csv").unlink()
        (source / "first.csv").symlink_to("turbines/t1.csv")

    changes: tuple[Callable[[], object], ...] = (
        lambda: (source / "readme").write_text("ten-minute values.\n"),
        lambda: (source / "readme").rename(source / "README"),
        linked,
    )
    for change in changes:
        change()
        seen.add(pack.link(place.datasets, "1", source).sha256)
    assert len(seen) == 4
    assert pack.difference(place.datasets, first)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.csv", "csv"), ("a.CSV", "csv"), ("a.csv.gz", "csv.gz"), ("a.tar.zst", "tar.zst"), ("README", ""),
        (".hidden", ""), (".hidden.json", "json"), ("a.", ""), ("v1.2 final", ""), ("a.very-odd", ""), ("a.gz", "gz"),
        ("report.2024.parquet", "parquet"),
    ],
)  # fmt: skip
def test_a_format_is_told_by_the_suffix(name: str, found: str) -> None:
    assert tree.suffix(name) == found
