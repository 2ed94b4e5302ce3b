"""The month's sheet (``/hub/operate/month/2026-11``), for operators: as a page, and as CSV. From our own record."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Any, Final

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.utils import url_path_join
from tornado import web

from fabric_hub.budgets.month import MonthSheet, by_day, by_hour_of_day, first_of
from fabric_hub.budgets.month_csv import as_csv
from fabric_hub.budgets.months import MonthBook
from fabric_hub.hub.spawner.failures import RefusedRequestError
from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.messages.text import REASONS
from fabric_hub.messages.texts import month as texts
from fabric_hub.messages.translation import gettext
from fabric_hub.slurm.model import Snapshot
from fabric_hub.types import Frozen

from .operate import operator_of, refused_in_words
from .sessions import called

PATH: Final = "/operate/month"
# Of the chart, in units of the picture: an hour's bar with its gap, and how high the highest is.
_BAR, _HIGH = 20, 100


class Bar(Frozen):
    """An hour of the day: GPUs in use on average, and its bar in units of the picture."""

    hour: int
    gpus: float
    x: int
    y: float
    height: float


class ThisMonth(BaseHandler):  # type: ignore[misc]
    """``GET /hub/operate/month``: leads to the month that is named (``?month=2026-11``), else to this one."""

    @web.authenticated
    async def get(self) -> None:
        with refused_in_words():
            operator_of(self.current_user)
        today = datetime.fromtimestamp(time.time()).astimezone()
        month = _month(self.get_query_argument("month", "") or f"{today:%Y-%m}")
        self.redirect(url_path_join(self.hub.base_url, PATH, month), status=303)


class Month(BaseHandler):  # type: ignore[misc]
    """``GET /hub/operate/month/2026-11`` and ``…/2026-11.csv``."""

    @web.authenticated
    async def get(self, month: str, form: str | None = None) -> None:
        with refused_in_words():
            operator_of(self.current_user)
        month, shared = _month(month), runtime()
        book = MonthBook(shared.store.engine)
        sheet = await asyncio.to_thread(book.sheet, shared.settings, month)
        self.set_header("Cache-Control", "no-store")
        if form:
            self.set_header("Content-Type", "text/csv; charset=utf-8")
            self.set_header("Content-Disposition", f'attachment; filename="month-{month}.csv"')
            self.finish(as_csv(sheet))
            return
        known = await asyncio.to_thread(book.known)
        if shared.settings.slurm is not None:
            shared.interest()
        page = await self.render_template(
            "operate_month.html",
            sheet=sheet,
            months=sorted({month, *known}, reverse=True),
            bars=bars(sheet),
            bar_width=_BAR,
            chart_height=_HIGH,
            days=by_day(sheet.hours),
            gpus=gpus_of(shared.follower.value),
            waits=[(called(one.profile, shared.settings.profile), one) for one in sheet.waits],
            failures=[(sentence_of(one.code), one) for one in sheet.starts.failed],
        )
        self.finish(page)


def bars(sheet: MonthSheet) -> list[Bar]:
    """GPUs in use by hour of the day, the highest bar as high as the picture; none where nothing was used. Pure."""
    found = by_hour_of_day(sheet.hours)
    most = max(found)
    if most <= 0:
        return []
    return [
        Bar(
            hour=hour,
            gpus=gpus,
            x=hour * _BAR,
            y=round(_HIGH - _HIGH * gpus / most, 2),
            height=round(_HIGH * gpus / most, 2),
        )
        for hour, gpus in enumerate(found)
    ]


def gpus_of(snapshot: Snapshot | None) -> int | None:
    """How many GPUs the cluster has now, those of drained nodes, too; None: it is not known. Pure."""
    if snapshot is None or not snapshot.nodes:
        return None
    return sum(sum(node.gpus.values()) for node in snapshot.nodes)


def sentence_of(code: str) -> str:
    """What stands for a reason's code: its sentence with the names of its parameters; the code itself if unknown."""
    reason = REASONS.get(code)
    return gettext(reason.text) if reason else code


def _month(text: str) -> str:
    try:
        first_of(text)
    except ValueError:
        raise RefusedRequestError(texts.NO_MONTH(month=text[:40])) from None
    return text


def pages() -> list[tuple[Any, ...]]:
    """The sheets, for JupyterHub's list of pages."""
    return [(PATH, ThisMonth), (rf"{PATH}/([0-9]{{4}}-[0-9]{{2}})(\.csv)?", Month)]
