"""The recipes in ``images/<name>``: reading them, and what identifies a build. Pure but for reading files."""

from __future__ import annotations

import hashlib
import os
import sysconfig
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import images as texts
from fabric_hub.messages.texts.site_file import NOT_TOML
from fabric_hub.types import Frozen

SOURCE_ENV = "FABRIC_HUB_SOURCE"
BUILD_VERSION = "3"  # raise when build.py makes something else of the same recipe

# Made by building the front end, or by running it; never sources.
_DERIVED = frozenset(
    ("node_modules", "dist", "lib", "labextension", "__pycache__", ".ruff_cache", ".mypy_cache", ".pytest_cache")
)


class Recipe(Frozen):
    """``image.toml``."""

    title: str
    description: str = ""
    python: str = Field(">=3.11", description="For people; the interpreter is the machine's own /usr/bin/python3.")
    test: tuple[str, ...] = Field(
        min_length=1, description="Command that proves a build, run in the recipe's directory."
    )
    modules: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")], ...] = Field(
        default=(), description="What people may count on importing in it; a build in which one cannot be fails."
    )
    locks: dict[str, str] = Field(min_length=1, description="Variant to lock file: default, or cuda and cpu.")


@dataclass(frozen=True)
class Image:
    """A recipe and where it stands."""

    name: str
    directory: Path
    recipe: Recipe

    def variant(self, wanted: str | None, has_gpu: bool) -> str:
        """Which of the recipe's lock files to take: the wanted one, else what fits the machine."""
        locks = self.recipe.locks
        variant = wanted or ("default" if "default" in locks else "cuda" if has_gpu else "cpu")
        if variant not in locks:
            raise FabricError(texts.NO_VARIANT(image=self.name, variant=repr(variant), variants=tuple(sorted(locks))))
        return variant


def source_root() -> Path:
    """The directory that holds ``images/``, and beside it the extension: its sources, or the wheel that a release made.

    It is $FABRIC_HUB_SOURCE, else the checkout that this package stands in, else what the installed wheel
    brought along (``share/fabric-hub`` of the environment; setup.cfg lists it).

    :raises FabricError: there are no recipes at that place.
    """
    told = os.environ.get(SOURCE_ENV)
    checkout, installed = Path(__file__).resolve().parents[2], Path(sysconfig.get_path("data"), "share", "fabric-hub")
    root = Path(told) if told else checkout if known(checkout) else installed
    if not known(root):
        raise FabricError(texts.NO_RECIPES(path=str(root), variable=SOURCE_ENV))
    return root


def known(root: Path) -> dict[str, Path]:
    """Names and directories of all recipes below :func:`source_root`."""
    return {path.parent.name: path.parent for path in sorted((root / "images").glob("*/image.toml"))}


def load(name: str, root: Path) -> Image:
    """Read one recipe.

    :raises FabricError: no such image (names the known ones), or a malformed recipe.
    """
    images = known(root)
    if name not in images:
        raise FabricError(texts.UNKNOWN(image=repr(name), known=tuple(images)))
    path = images[name] / "image.toml"
    try:
        recipe = Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise FabricError(NOT_TOML(name=str(path), why=str(error)), reason="image") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise FabricError(texts.RECIPE_WRONG(path=str(path), wrong=wrong)) from error
    for lock in recipe.locks.values():
        if not (images[name] / lock).is_file():
            raise FabricError(texts.NO_LOCK_FILE(path=str(path), lock=lock))
    return Image(name, images[name], recipe)


def source_files(root: Path) -> Iterator[Path]:
    """All source files below a directory, sorted; not what building or running leaves behind."""
    for directory, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in _DERIVED and not f.endswith(".egg-info"))
        for file in sorted(files):
            if not file.endswith((".pyc", ".tsbuildinfo")):
                yield Path(directory, file)


def digest(parts: Iterable[str | bytes]) -> str:
    """SHA-256 of parts, each with its length: no two lists of parts give the same."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        whole.update(len(data).to_bytes(8, "big"))
        whole.update(data)
    return whole.hexdigest()


def digest_of_files(root: Path, files: Iterable[Path]) -> str:
    """SHA-256 over names (relative to ``root``) and contents."""
    return digest(part for file in files for part in (str(file.relative_to(root)), file.read_bytes()))


def build_id(image: Image, variant: str, extension: str, python_version: str) -> str:
    """Twelve characters that change when anything does that goes into the build.

    :param extension: what identifies the notebook extension (:func:`.wheel.digest`).
    """
    return digest(
        (
            BUILD_VERSION,
            python_version,
            (image.directory / image.recipe.locks[variant]).read_bytes(),
            digest_of_files(
                image.directory, (f for f in source_files(image.directory) if f.suffix in (".toml", ".py"))
            ),
            extension,
        )
    )[:12]
