"""What is on record of one change that we make to a library."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Patch:
    """One change of a library's behaviour.

    :ivar name: a slug; the log and the tests call it so.
    :ivar module: where it is, in this package; with dots, elsewhere.
    :ivar what: what is different with it.
    :ivar why: what would be without it.
    :ivar needed_test: the function below :data:`NEEDED_TESTS` that shows the fault without it.
    :ivar replaces: the attributes that it puts something else in the place of, each ``module:Qualified.name``.
    :ivar package: the library; ``python`` is Python itself.
    :ivar versions: of the library that somebody has looked at, as a specifier of PEP 440.
    :ivar upstream: issues and pull requests of the library that are about it; none is known where there is none.
    """

    name: str
    module: str
    what: str
    why: str
    needed_test: str
    replaces: tuple[str, ...] = ()
    package: str = "jupyterhub"
    versions: str = ">=6.1.1,<6.2"
    upstream: tuple[str, ...] = ()
