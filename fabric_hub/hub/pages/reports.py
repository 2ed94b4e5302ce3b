"""What people reported (``/hub/operate/reports``), for operators: all that is on record, and one by its reference."""

from __future__ import annotations

import asyncio
from typing import Any, Final
from urllib.parse import quote

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.utils import url_path_join
from tornado import web

from fabric_hub.hub.spawner.failures import RefusedRequestError
from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.messages.texts import problems as texts
from fabric_hub.sessions.problem_text import lines_of
from fabric_hub.sessions.problems import LISTED_MOST

from .operate import operator_of, refused_in_words

PATH: Final = "/operate/reports"


class Reports(BaseHandler):  # type: ignore[misc]
    """``GET /hub/operate/reports``: the newest first; ``?find=REFERENCE`` leads to that one, as it is typed."""

    @web.authenticated
    async def get(self) -> None:
        with refused_in_words():
            operator_of(self.current_user)
        wanted = self.get_query_argument("find", "").strip().upper()
        if wanted:
            self.redirect(url_path_join(self.hub.base_url, PATH, quote(wanted[:40], safe="")), status=303)
            return
        shared = runtime()
        found = await asyncio.to_thread(shared.problems.newest)
        page = await self.render_template(
            "operate_reports.html", reports=found, most=LISTED_MOST, keep_days=shared.settings.reports.keep_days
        )
        self.set_header("Cache-Control", "no-store")
        self.finish(page)


class OneReport(BaseHandler):  # type: ignore[misc]
    """``GET /hub/operate/reports/REFERENCE``: one report as it was sent, and whether it was."""

    @web.authenticated
    async def get(self, reference: str) -> None:
        with refused_in_words():
            operator_of(self.current_user)
        shared = runtime()
        kept = await asyncio.to_thread(shared.problems.get, reference)
        if kept is None:
            days = shared.settings.reports.keep_days
            raise RefusedRequestError(texts.NO_REPORT(reference=reference, days=days))
        page = await self.render_template("operate_report.html", kept=kept, facts=lines_of(kept.report.facts))
        self.set_header("Cache-Control", "no-store")
        self.finish(page)


def pages() -> list[tuple[Any, ...]]:
    """The list and each report, for JupyterHub's list of pages."""
    return [(PATH, Reports), (rf"{PATH}/([^/]{{1,40}})", OneReport)]
