"""A table in a notebook that keeps itself current. Runs in the kernel."""

from __future__ import annotations

import asyncio
import html
import time
from collections.abc import Callable
from typing import Any

import ipywidgets  # type: ignore[import-untyped, unused-ignore]

from ..common import formats
from ..common.translation import _


class LiveTable(ipywidgets.HTML):  # type: ignore[misc]
    """A table as a widget; stops when closed.

    A widget is there for as long as its kernel. So its output is HTML and text too, as of when it was shown: that is
    what a saved notebook has to show in a later session, and on a page without kernels.
    """

    def __init__(self, drawn: Callable[[], str], every_s: float) -> None:
        """
        :param drawn: makes the table's HTML, of figures that are fresh enough; may wait for the hub.
        """
        super().__init__(value=drawn())
        try:
            self._task: asyncio.Task[None] | None = asyncio.get_running_loop().create_task(
                self._keep_current(drawn, every_s)
            )
        except RuntimeError:  # no event loop, as in a plain Python prompt: shown once
            self._task = None

    async def _keep_current(self, drawn: Callable[[], str], every_s: float) -> None:
        while self.comm is not None:
            await asyncio.sleep(every_s)
            self.value = await asyncio.get_running_loop().run_in_executor(None, drawn)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        # a page without a kernel shows the last of these that it understands
        return {**super()._repr_mimebundle_(**kwargs), "text/html": as_saved(self.value), "text/plain": repr(self)}

    def close(self) -> None:
        """Stop updating and remove the widget."""
        if self._task is not None:
            self._task.cancel()
        super().close()


def as_saved(table: str) -> str:
    """The table with when that was, which a saved notebook does not tell otherwise."""
    moment = formats.clock(time.time(), now=0.0)  # as seen from another day: with its date
    said = _("As of {moment}. Run the cell again for what is so now.").format(moment=moment)
    return f'{table}<p style="line-height:1.4">{html.escape(said)}</p>'
