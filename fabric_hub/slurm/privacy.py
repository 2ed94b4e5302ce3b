"""What Slurm hides from whoever is no Operator (PrivateData), and what to say of it. Pure.

Slurm refuses nothing there: its answers are complete, and leave out what belongs to others. So an answer without what
must be there is known by what other sources say, and explained by these words.
"""

from __future__ import annotations

import re
from collections.abc import Collection

# What each word of PrivateData hides that the hub reads.
HIDES = {
    "jobs": "the sessions' jobs",
    "nodes": "the nodes",
    "reservations": "reservations",
    "partitions": "partitions",
    "accounts": "accounts and their limits",
    "users": "users and their limits",
    "usage": "what accounts have used",
}
# Words that leave accounts of others out of an answer.
ACCOUNTS = frozenset({"accounts", "users", "usage"})
# Powered-down nodes of a cloud are shown to nobody, unless PrivateData has this word.
CLOUD = "cloud"
HIDDEN = HIDES | {CLOUD: "powered-down nodes of a cloud"}


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


def why_refused(program: str, account: str) -> str:
    """What such a refusal means, as a sentence without its full stop."""
    return (
        f"Slurm does not let the gateway's account {account} see what {program} asks for (PrivateData in slurm.conf). "
        f"The operators can give it the right of an Operator; fabric-hub doctor says how"
    )


def why_hidden(kind: str, private: Collection[str], account: str) -> str:
    """Why an answer lacks what is there, as a sentence without its full stop.

    :param kind: the word of PrivateData that would hide it.
    :param account: the gateway's Unix account.
    """
    what = HIDES[kind]
    if kind in private:
        return (
            f"Slurm hides {what} from the hub: slurm.conf has PrivateData={kind}, and the gateway's account {account} "
            f"is no Operator in Slurm. The operators can give it that right; fabric-hub doctor says how"
        )
    return (
        f"Slurm's answers to the hub lack {what}, though they are there. The operators should look at PrivateData in "
        f"slurm.conf and slurmdbd.conf, and at the rights of the gateway's account {account}: fabric-hub doctor"
    )
