"""Why a file system's quota is not known."""

from __future__ import annotations

from fabric_hub.messages.text import Reason, Who
from fabric_hub.messages.translation import N_

DID_NOT_ANSWER = Reason(
    "storage-did-not-answer", N_("{path} did not answer within {seconds:number} s."), who=Who.OPERATOR
)  # fmt: skip
LEFT_ALONE = Reason(
    "storage-left-alone",
    N_("{path} did not answer others within {seconds:number} s; it is asked again at {again:clock}."),
    who=Who.OPERATOR,
)
TOOL_UNUSABLE = Reason("storage-tool-unusable", N_("{program} cannot be used: {why}."), who=Who.OPERATOR)
SERVERS_AWAY = Reason(
    "storage-servers-away",
    N_("Not all servers of the file system answer, so what is used is not known."),
    who=Who.OPERATOR,
)
TOOL_FAILED = Reason("storage-tool-failed", N_("The quota tool failed."), who=Who.OPERATOR)
NO_QUOTA = Reason("storage-no-quota", N_("No quota is set on it."), who=Who.OPERATOR)
EMPTY_ANSWER = Reason("storage-empty-answer", N_("The quota tool's answer holds no quota."), who=Who.OPERATOR)
NOTHING_OF_PROJECT = Reason(
    "storage-nothing-of-project",
    N_("Nothing of the project is there, or the quota tool did not run as root."),
    who=Who.OPERATOR,
)
TOOL_SAYS = Reason("storage-tool-says", N_("The quota tool says: {words}"), who=Who.OPERATOR)
