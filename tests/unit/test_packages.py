"""What the packages of a release say: of what they are made, and what dpkg and rpm run for them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.packages import deb, rpm, sbom, tree

ROOT = Path(__file__).resolve().parents[2]
LOCK = f"""\
babel==2.17.0 \\
    --hash=sha256:{"a" * 64} \\
    --hash=sha256:{"b" * 64}
    # via -r setup.cfg
ruamel-yaml==1.0
    --hash=sha256:{"c" * 64}
"""


def environment(directory: Path, *metadata: str) -> Path:
    for number, text in enumerate(metadata):
        place = directory / f"lib/python3.11/site-packages/p{number}.dist-info"
        place.mkdir(parents=True)
        (place / "METADATA").write_text(text)
    return directory


def test_the_bill_names_every_package_with_version_licence_and_locked_digests(tmp_path: Path) -> None:
    home = environment(
        tmp_path,
        "Name: Babel\nVersion: 2.17.0\nLicense-Expression: BSD-3-Clause\n",
        "Name: ruamel.yaml\nVersion: 1.0\nClassifier: License :: OSI Approved :: MIT License\n",
        "Name: other\nVersion: 3\nLicense: Some terms\n of many lines\n",
    )
    lock = {
        "packages": {
            "": {"name": "the proxy"},
            "node_modules/@scope/one": {"version": "1.2.3", "license": "MIT", "integrity": "sha512-AAEC"},
            "node_modules/one/node_modules/two": {"version": "2.0.0"},
            "node_modules/linter": {"version": "9.9.9", "dev": True},
        }
    }
    told = json.loads(sbom.bill(home, LOCK, json.dumps(lock), name="it", version="1", made="2027-01-31T00:00:00Z"))
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    found = {component["bom-ref"]: component for component in told["components"]}
    assert set(found) == {
        "pkg:pypi/babel@2.17.0",
        "pkg:pypi/ruamel-yaml@1.0",
        "pkg:pypi/other@3",
        "pkg:npm/%40scope/one@1.2.3",
        "pkg:npm/two@2.0.0",
    }
    assert found["pkg:pypi/babel@2.17.0"]["licenses"] == [{"expression": "BSD-3-Clause"}]
    assert [entry["value"][0] for entry in found["pkg:pypi/babel@2.17.0"]["properties"]] == ["a", "b"]
    assert found["pkg:pypi/ruamel-yaml@1.0"]["licenses"] == [{"license": {"name": "MIT License"}}]
    assert found["pkg:pypi/other@3"]["licenses"] == [{"license": {"name": "Some terms"}}]
    assert found["pkg:npm/%40scope/one@1.2.3"]["hashes"] == [{"alg": "SHA-512", "content": "000102"}]


def test_the_lock_file_of_the_hub_gives_a_digest_for_every_package() -> None:
    digests = sbom.locked((ROOT / "requirements.lock").read_text())
    assert "jupyterhub" in {name for name, _ in digests}
    assert all(digests.values())


def package(directory: Path, **more: object) -> tree.Package:
    return tree.Package("fabric-x", "One line", "Some\nlines", directory, **more)  # type: ignore[arg-type]


def test_an_upgrade_restarts_what_runs_but_for_the_proxy_and_a_removal_stops_all(tmp_path: Path) -> None:
    made = package(
        tmp_path,
        units=("fabric-hub.service", "fabric-proxy.service"),
        restarted=("fabric-hub.service",),
        accounts=True,
    )
    for text in (deb.scripts(made)["postinst"], rpm.scripts(made).partition("%preun")[0]):
        assert "systemd-sysusers /usr/lib/sysusers.d/fabric-hub.conf" in text
        assert "try-restart fabric-hub.service" in text
        assert "fabric-proxy" not in text
    for text in (deb.scripts(made)["prerm"], rpm.scripts(made).partition("%preun")[2]):
        assert "disable --now fabric-hub.service fabric-proxy.service" in text
    assert deb.scripts(package(tmp_path)) == {}
    assert rpm.scripts(package(tmp_path)) == ""


@pytest.mark.parametrize("name", ["postinst", "prerm", "postrm"])
def test_a_shell_can_read_what_dpkg_runs(name: str, tmp_path: Path) -> None:
    made = package(tmp_path, units=("a.service",), restarted=("a.service",), accounts=True)
    done = subprocess.run(["sh", "-n"], input=deb.scripts(made)[name], text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_debian_package_is_roots_whatever_the_umask_was(tmp_path: Path) -> None:
    if not shutil.which("dpkg-deb"):
        pytest.skip("dpkg-deb is not installed")
    source, into = tmp_path / "tree", tmp_path / "into"
    (source / "usr/sbin").mkdir(parents=True, mode=0o700)
    into.mkdir()
    program = source / "usr/sbin/it"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    (source / "usr/sbin/text").write_text("")
    (source / "usr/sbin/text").chmod(0o600)
    built = deb.build(package(source), ROOT, "1.2.3", "Somebody <a@example.org>", into)
    assert built.name == "fabric-x_1.2.3-1_all.deb"
    listed = subprocess.run(["dpkg-deb", "--contents", built], capture_output=True, text=True, check=True).stdout
    modes = {line.split()[-1]: line.split()[:2] for line in listed.splitlines()}
    assert modes["./usr/sbin/"] == ["drwxr-xr-x", "root/root"]
    assert modes["./usr/sbin/it"] == ["-rwxr-xr-x", "root/root"]
    assert modes["./usr/sbin/text"] == ["-rw-r--r--", "root/root"]
    assert "./usr/share/doc/fabric-x/copyright" in modes
    assert [path.name for path in into.iterdir()] == [built.name], "no stage is left"
