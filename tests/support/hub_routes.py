"""What a running hub answers: its rules as tornado has them, told by the hub's own process."""

from __future__ import annotations

import json
import re
from pathlib import Path

# What has no verbs of its own: files, and what is not there.
_NOTHING = frozenset(
    {
        "jupyterhub.handlers.static:CacheControlStaticFilesHandler",
        "jupyterhub.apihandlers.base:API404",
        "jupyterhub.handlers.base:Template404",
    }
)
# Lines of a site's own configuration: once the application is made, its rules are written down.
_TELL = """
import json as _json
from pathlib import Path as _Path
from jupyterhub.app import JupyterHub as _Hub

_VERBS = ("get", "post", "put", "patch", "delete")
_unchanged = _Hub.init_tornado_application

def _rules(router):
    for rule in router.rules:
        if hasattr(rule.target, "rules"):
            yield from _rules(rule.target)
            continue
        verbs = [one.upper() for one in _VERBS if getattr(rule.target, one).__module__ != "tornado.web"]
        name = f"{rule.target.__module__}:{rule.target.__qualname__}"
        yield rule.matcher.regex.pattern, name, verbs

def _told(self):
    _unchanged(self)
    app = self.tornado_application
    found = [*_rules(app.wildcard_router), *_rules(app.default_router)]
    _Path({path!r}).write_text(_json.dumps(found))

_Hub.init_tornado_application = _told
"""


class HubRoutes:
    """See the module.

    :param path: where the hub writes them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.configuration = _TELL.replace("{path!r}", repr(str(path)))

    def read(self) -> set[tuple[str, str]]:
        """Each verb with each pattern, as the hub has them now; ``ANY`` where a handler hands all on."""
        return {(verb, pattern) for pattern, verbs in self._rules() for verb in verbs}

    def of(self, verb: str, path: str) -> tuple[str, str]:
        """The verb and the pattern that a call is of: the first that fits, as in tornado."""
        plain = path.partition("?")[0]
        found = next((pattern, verbs) for pattern, verbs in self._rules() if re.match(pattern, plain))
        return (verb, found[0]) if verb in found[1] else (verb, f"{found[0]} has no {verb}")

    def _rules(self) -> list[tuple[str, list[str]]]:
        told = json.loads(self._path.read_text())
        return [(pattern, verbs or ([] if handler in _NOTHING else ["ANY"])) for pattern, handler, verbs in told]
