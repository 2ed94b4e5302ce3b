"""The demo datasets: what it holds is whole, small, always the same, and true to its sector."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlcroissant
import pytest

from fabric_dev import demo
from fabric_dev.runtime import readable_by_others
from fabric_dev.samples import bakery, energy, manufacturing
from fabric_dev.samples.install import SAMPLES, Sample
from fabric_hub.catalogue.database import open_catalogue
from fabric_hub.catalogue.exchange.dcat import catalogue_graph, turtle
from fabric_hub.catalogue.store import CatalogueStore
from fabric_hub.config.settings import load
from fabric_hub.datasets.completeness import missing
from fabric_hub.datasets.model import Access, Catalogue
from tests.support.builders import site_text
from tests.support.catalogue_entries import ABOUT, SHAPES, an_entry

ROOT = Path(__file__).resolve().parents[3]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def digest(directory: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            found.update(str(path.relative_to(directory)).encode() + path.read_bytes())
    return found.hexdigest()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_an_entry_is_complete_and_its_files_are_the_same_each_time(sample: Sample, tmp_path: Path) -> None:
    entry = sample.entry()
    assert (missing(entry), entry.name) == ((), sample.name)
    assert "demo" in entry.keywords
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        sample.write(tmp_path / name)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")
    assert (tmp_path / "one" / "README.md").is_file()


def test_all_of_it_is_small(tmp_path: Path) -> None:
    for sample in SAMPLES:
        (tmp_path / sample.name).mkdir()
        sample.write(tmp_path / sample.name)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 5_000_000


def test_the_samples_show_every_access_and_several_sectors() -> None:
    entries = [sample.entry() for sample in SAMPLES]
    assert {entry.access for entry in entries} == set(Access)
    assert {theme for entry in entries for theme in entry.themes} >= {"ENER", "AGRI", "HEAL", "TECH"}
    assert {project for sample in SAMPLES for project in sample.projects} <= set(demo.PROJECTS)
    [secret] = [sample for sample in SAMPLES if sample.entry().access is Access.NON_PUBLIC]
    assert [demo.PROJECTS[project]["kind"] for project in secret.projects] == ["client"]


def test_a_year_of_energy_obeys_physics(tmp_path: Path) -> None:
    energy.write(tmp_path)
    generation, weather = rows(tmp_path / "generation.csv"), rows(tmp_path / "weather.csv")
    assert len(generation) == len(weather) == 8760
    farm = [float(row["wind_farm_mw"]) for row in generation]
    assert max(farm) <= energy.TURBINES * energy.TURBINE_MW
    assert 0.2 < sum(farm) / len(farm) / (energy.TURBINES * energy.TURBINE_MW) < 0.5
    dark = [float(row["rooftop_pv_kw"]) for row in generation if row["time_utc"][11:13] in ("00", "23")]
    assert not any(dark)
    per_kw = sum(float(row["rooftop_pv_kw"]) for row in generation) / energy.PV_KW
    assert 800 < per_kw < 1100
    january, july = (
        [float(row["temperature_c"]) for row in weather if row["time_utc"][5:7] == month] for month in ("01", "07")
    )
    assert sum(january) / len(january) + 8 < sum(july) / len(july)


def amplitude(signal: list[float], hertz: float) -> float:
    """Of one frequency in a signal, by its Fourier sum."""
    turn = 2 * math.pi * hertz / manufacturing.RATE_HZ
    real = sum(value * math.cos(turn * sample) for sample, value in enumerate(signal))
    imaginary = sum(value * math.sin(turn * sample) for sample, value in enumerate(signal))
    return math.hypot(real, imaginary) / len(signal)


def test_a_bearing_s_fault_is_heard_at_its_own_frequency(tmp_path: Path) -> None:
    manufacturing.write(tmp_path)
    for recording in rows(tmp_path / "recordings.csv"):
        wanted = float(recording["fault_hz"])
        if recording["condition"] != "outer-race":
            continue
        signal = [abs(float(row["acceleration_g"])) for row in rows(tmp_path / recording["file"])]
        mean = sum(signal) / len(signal)
        envelope = [value - mean for value in signal]
        beside = max(amplitude(envelope, wanted * share) for share in (0.6, 0.75, 1.3, 1.45))
        assert amplitude(envelope, wanted) > 3 * beside
    assert manufacturing.ORDERS["outer-race"] == pytest.approx(3.585, abs=0.01)
    assert manufacturing.ORDERS["inner-race"] == pytest.approx(5.415, abs=0.01)


def test_its_pictures_are_pictures(tmp_path: Path) -> None:
    manufacturing.write(tmp_path)
    content = (tmp_path / "raceways" / "03.png").read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    start = content.index(b"IDAT")
    length = int.from_bytes(content[start - 4 : start], "big")
    assert zlib.crc32(content[start : start + 4 + length]) == int.from_bytes(content[start + 4 + length :][:4], "big")
    assert len(zlib.decompress(content[start + 4 : start + 4 + length])) == 64 * 65


def test_plots_are_closed_rings_in_the_netherlands(tmp_path: Path) -> None:
    next(sample for sample in SAMPLES if sample.name == "wheat-trials").write(tmp_path)
    features = json.loads((tmp_path / "plots.geojson").read_text())["features"]
    assert len(features) == 96
    for feature in features:
        [ring] = feature["geometry"]["coordinates"]
        assert ring[0] == ring[-1]
        assert all(5 < east < 6 and 52 < north < 53 for east, north in ring)
    assert {row["plot"] for row in rows(tmp_path / "yields.csv")} == {feature["id"] for feature in features}


def test_the_bakery_sells_nothing_on_sundays(tmp_path: Path) -> None:
    bakery.write(tmp_path)
    closed = {row["date"] for row in rows(tmp_path / "days.csv") if row["closed"] == "1"}
    assert closed
    assert not closed & {row["date"] for row in rows(tmp_path / "sales.csv")}


# -- into a catalogue


@pytest.fixture
def place() -> Iterator[tuple[Path, str]]:
    """A directory of an account that is not root, and that account; pytest's own directory lets only root in."""
    root = os.geteuid() == 0
    account = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.geteuid())
    if root and not readable_by_others(Path(sys.executable)):
        pytest.skip("the environment cannot be read by other accounts")
    directory = Path(tempfile.mkdtemp(prefix="fabric-samples-"))
    for name in ("catalogue", "store", "published", "data"):
        (directory / name).mkdir()
    if root:
        for path in (directory, *directory.iterdir()):
            os.chown(path, account.pw_uid, account.pw_gid)
    yield directory, account.pw_name
    shutil.rmtree(directory)


def site_file(directory: Path, account: str) -> Path:
    more = f"""
[project.bakery]
account = "bakery"
kind = "client"

[catalogue]
account = "{account}"
state_dir = "{directory}/catalogue"
store = "{directory}/store"
published = "{directory}/published"
data_dir = "{directory}/data"
shapes = "{SHAPES}"

[catalogue.export]
publisher = "The demo"
"""
    path = directory / "site.toml"
    path.write_text(site_text(directory, more))
    return path


def python(account: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module as the account; its output, which must be that of a success."""
    who: dict[str, Any] = (
        {"user": account, "group": pwd.getpwnam(account).pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    )
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, **who
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.mark.parametrize("packed", [True, False], ids=["images", "directories"])
def test_a_fresh_catalogue_gets_it_once_and_its_export_conforms(place: tuple[Path, str], packed: bool) -> None:
    if packed and not shutil.which("mksquashfs"):
        pytest.skip("needs mksquashfs")
    directory, account = place
    site = site_file(directory, account)
    install = ["fabric_dev.samples", "--site", str(site), *(["--packed"] if packed else [])]
    assert len(python(account, *install).stdout.splitlines()) == len(SAMPLES)
    found = catalogue(site)
    assert {entry.name for entry in found.datasets} == {sample.name for sample in SAMPLES}
    assert {(grant.dataset, grant.project) for grant in found.grants} == {("bakery-sales", "bakery")}
    kinds = {version.kind for entry in found.datasets for version in entry.versions}
    assert kinds == {"image" if packed else "directory"}
    # a second time there is nothing to do
    assert python(account, *install).stdout == ""
    assert catalogue(site).serial == found.serial
    # and what the command line exports is what the standards ask for
    command = ("fabric_hub.cli", "datasets")
    if any(SHAPES.glob("*.ttl")) and (os.geteuid() != 0 or readable_by_others(SHAPES)):
        checked = python(account, *command, "export", "--site", str(site), "--check")
        assert checked.stderr.splitlines()[-1] == "0 violations, 0 other remarks."
    document = python(account, *command, "export", "patients-synthetic", "--croissant", "--site", str(site)).stdout
    issues = mlcroissant.Dataset(jsonld=json.loads(document)).metadata.ctx.issues
    assert not issues.errors | issues.warnings
    # directories are where a session looks for datasets
    assert (directory / "data" / "wheat-trials" / "latest" / "plots.geojson").is_file() is not packed
    # the one that only the client may know of can be left out
    public = python(account, *command, "export", "--site", str(site), "--only", "public").stdout
    assert "energy-year" in public
    assert "bakery" not in public


def catalogue(site: Path) -> Catalogue:
    datasets = load(site).catalogue
    assert datasets is not None
    store = CatalogueStore(open_catalogue(datasets))
    try:
        return store.catalogue()
    finally:
        store.close()


def test_drafts_come_in_by_the_command_line(place: tuple[Path, str]) -> None:
    directory, account = place
    site = site_file(directory, account)
    document = directory / "theirs.ttl"
    document.write_text(turtle(catalogue_graph([an_entry(), an_entry(name="other")], ABOUT)))
    told = python(account, "fabric_hub.cli", "datasets", "import", str(document), "--site", str(site)).stdout
    assert "wind-farm: a draft." in told
    assert "Not taken over: wind-farm: the files of 2 distributions" in told
    assert not catalogue(site).datasets, "a draft is not published"
    with pytest.raises(AssertionError, match="exists already"):
        python(account, "fabric_hub.cli", "datasets", "import", str(document), "--site", str(site))
    assert (
        "described anew"
        in python(
            account, "fabric_hub.cli", "datasets", "import", str(document), "--replace", "--site", str(site)
        ).stdout
    )
