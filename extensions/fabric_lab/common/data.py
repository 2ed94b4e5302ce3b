"""The launcher's data phase: the session's datasets are open before Jupyter starts.

Loaded only where there are some. A dataset that cannot be opened is a line in the
session's log, never the end of the session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import node

CHOSEN = "FABRIC_DATASETS"
LONGEST_WAIT_S = 5.0


def chosen(environment: Mapping[str, str]) -> list[str]:
    """The datasets that were chosen when the session was started, each once."""
    names = (name.strip() for name in environment.get(CHOSEN, "").split(","))
    return [*dict.fromkeys(name for name in names if node.NAME.fullmatch(name))]


def lines(names: list[str], answer: node.NodeAnswer) -> list[str]:
    """What the log says: one line for each dataset that was asked for."""
    opened = {one.dataset: one for one in answer.opened}
    refused = {one.dataset: one for one in answer.refused}
    said = []
    for name in names:
        if name in opened:
            said.append(f"Dataset {name} is open: {opened[name].files}")
        elif name in refused:
            said.append(f"Dataset {name} is not open. {refused[name].message}")
        else:
            said.append(f"Dataset {name} is not open. The node's dataset service did not say why.")
    if opened and answer.enforced is False:
        said.append("On this cluster nothing but good manners keeps others from reading these datasets.")
    return said


def open_chosen(
    environment: Mapping[str, str], say: Callable[[str], None], *, timeout_s: float = LONGEST_WAIT_S
) -> None:
    """Ask the node to open the session's datasets, for at most ``timeout_s`` seconds.

    :param say: takes one line of the log at a time.
    """
    names = chosen(environment)
    try:
        answer = node.ask(environment, "open", names, timeout_s=timeout_s)
    except node.NodeError as error:
        for name in names:
            say(f"Dataset {name} is not open. {error}")
    else:
        for line in lines(names, answer):
            say(line)
