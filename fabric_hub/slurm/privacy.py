"""What Slurm hides from whoever is no Operator (PrivateData), and what is said of it. Pure.

Slurm refuses nothing there: its answers are complete, and leave out what belongs to others. So an answer without what
must be there is known by what other sources say, and explained so.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import slurm_hides as texts

# What each word of PrivateData hides that the hub reads.
HIDES = {
    "jobs": texts.HIDES_JOBS(),
    "nodes": texts.HIDES_NODES(),
    "reservations": texts.HIDES_RESERVATIONS(),
    "partitions": texts.HIDES_PARTITIONS(),
    "accounts": texts.HIDES_ACCOUNTS(),
    "users": texts.HIDES_USERS(),
    "usage": texts.HIDES_USAGE(),
}
# Words that leave accounts of others out of an answer.
ACCOUNTS = frozenset({"accounts", "users", "usage"})
# Powered-down nodes of a cloud are shown to nobody, unless PrivateData has this word.
CLOUD = "cloud"
HIDDEN = HIDES | {CLOUD: texts.HIDES_CLOUD()}


def private_data(config: str) -> frozenset[str]:
    """The words of PrivateData in ``scontrol show config``, or in a file of Slurm's; none: nothing is hidden."""
    words = re.findall(r"^\s*PrivateData\s*=\s*(.*?)\s*$", config, re.MULTILINE | re.IGNORECASE)
    last = words[-1].lower() if words else ""
    found = {word.strip() for word in last.split(",")} - {"", "none", "(null)"}
    return frozenset(HIDES if "all" in found else found)


def hides_cloud_nodes(config: str) -> bool:
    """Whether nodes may be missing from every answer because they are powered down, by ``scontrol show config``."""
    resumes = re.search(r"^\s*ResumeProgram\s*=\s*(?!\(null\))\S", config, re.MULTILINE | re.IGNORECASE)
    return resumes is not None and CLOUD not in private_data(config)


def is_refused(words: str) -> bool:
    """Whether a client's words mean that Slurm does not let this account see what it asked for."""
    return "Access/permission denied" in words


def why_refused(program: str, account: str) -> Text:
    """What such a refusal means."""
    return texts.REFUSED_TO_GATEWAY(program=program, account=account)


def why_hidden(kind: str, private: Collection[str], account: str) -> Text:
    """Why an answer lacks what is there.

    :param kind: the word of PrivateData that would hide it.
    :param account: the gateway's Unix account.
    """
    if kind in private:
        return texts.HIDDEN_BY_CONFIGURATION(what=HIDES[kind], kind=kind, account=account)
    return texts.HIDDEN_SOMEHOW(what=HIDES[kind], account=account)
