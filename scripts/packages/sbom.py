"""What a package is made of, for whoever has to know: CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/).

The Python packages are those of the environment in the package, with the digests of the lock file that they were
checked against; the proxy's are those of its package-lock.json.
"""

from __future__ import annotations

import base64
import json
import re
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)")
_DIGEST = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def bill(environment: Path, lock: str, npm_lock: str, *, name: str, version: str, made: str) -> bytes:
    """The document.

    :param environment: with the Python packages in ``lib/python*/site-packages``.
    :param lock: the text of requirements.lock.
    :param npm_lock: the text of the proxy's package-lock.json.
    :param name: of the product.
    :param version: likewise.
    :param made: when, as ``2027-01-31T00:00:00Z``.
    """
    digests = locked(lock)
    components = [*python_components(environment, digests), *npm_components(json.loads(npm_lock))]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": made,
            "component": {
                "type": "application",
                "name": name,
                "version": version,
                "bom-ref": f"pkg:generic/{name}@{version}",
                "licenses": [{"license": {"id": "BSD-3-Clause"}}],
            },
        },
        "components": sorted(components, key=lambda component: component["bom-ref"]),
    }
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def locked(lock: str) -> dict[tuple[str, str], list[str]]:
    """SHA-256 digests in a lock file by name and version; a package has one for each kind of machine."""
    found: dict[tuple[str, str], list[str]] = {}
    current: list[str] = []
    for line in lock.splitlines():
        if match := _LOCKED.match(line):
            current = found.setdefault((_normal(match[1]), match[2]), [])
        current.extend(_DIGEST.findall(line))
    return found


def python_components(environment: Path, digests: dict[tuple[str, str], list[str]]) -> list[dict[str, Any]]:
    """The installed packages, from their own metadata."""
    components = []
    for path in sorted(environment.glob("lib/python*/site-packages/*.dist-info/METADATA")):
        told = HeaderParser().parsestr(path.read_text(encoding="utf-8", errors="replace"))
        name, version = _normal(told["Name"]), told["Version"]
        ref = f"pkg:pypi/{name}@{version}"
        component: dict[str, Any] = {"type": "library", "name": name, "version": version, "purl": ref, "bom-ref": ref}
        if licence := _licence(told):
            component["licenses"] = [licence]
        if checked := digests.get((name, version)):
            # any of these was installed: one that fits this machine
            component["properties"] = [{"name": "locked:sha256", "value": digest} for digest in checked]
        components.append(component)
    return components


def npm_components(lock: dict[str, Any]) -> list[dict[str, Any]]:
    """The proxy's packages, without those that only develop it."""
    components = {}
    for place, told in lock["packages"].items():
        if not place or told.get("dev"):
            continue
        name = told.get("name") or place.rpartition("node_modules/")[2]
        ref = f"pkg:npm/{name.replace('@', '%40')}@{told['version']}"
        component: dict[str, Any] = {
            "type": "library",
            "name": name,
            "version": told["version"],
            "purl": ref,
            "bom-ref": ref,
        }
        kind, _, digest = told.get("integrity", "").partition("-")
        if kind == "sha512":
            component["hashes"] = [{"alg": "SHA-512", "content": base64.b64decode(digest).hex()}]
        if told.get("license"):
            component["licenses"] = [{"license": {"name": told["license"]}}]
        components[ref] = component
    return list(components.values())


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _licence(told: Message) -> dict[str, Any] | None:
    if expression := told["License-Expression"]:
        return {"expression": expression}
    classified = [
        text.rpartition(" :: ")[2] for text in told.get_all("Classifier", []) if text.startswith("License ::")
    ]
    name = ", ".join(classified) or (told["License"] or "").strip().partition("\n")[0]
    return {"license": {"name": name}} if name else None
