"""Whether hub and gateway can read the projects that the catalogue service keeps."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

PROJECTS_FILE = Reason(
    "kept-projects-file", N_("the projects that the catalogue service keeps ({path})"), who=Who.OPERATOR
)
PROJECTS_KEPT = Reason(
    "kept-projects-readable",
    P_(
        "the catalogue service keeps {n} project, which hub and gateway may read ({path})",
        "the catalogue service keeps {n} projects, which hub and gateway may read ({path})",
    ),
    who=Who.OPERATOR,
)
PROJECTS_FILE_MISSING = Reason(
    "kept-projects-file-missing",
    N_("{path} is not there: until it is, hub and gateway know the projects of the site's file only"),
    N_(
        "the catalogue service writes it when it starts: systemctl restart fabric-catalogue (an embedded run: "
        "fabric-hub up), and its log says why not: journalctl --unit=fabric-catalogue"
    ),
    who=Who.OPERATOR,
)
PROJECTS_FILE_CLOSED = Reason(
    "kept-projects-file-closed",
    N_("hub and gateway may not read {path}, and know the projects of the site's file only"),
    N_(
        "{directory} must have mode 2750, owner {account} and the hub's group, and the file that group with mode 0640: "
        "install packaging/tmpfiles.d/fabric-hub.conf, then systemd-tmpfiles --create and systemctl restart "
        "fabric-catalogue"
    ),
    who=Who.OPERATOR,
)
PROJECTS_FILE_WRONG = Reason(
    "kept-projects-file-wrong",
    N_("{path} cannot be used, and hub and gateway know the projects of the site's file only: {why}"),
    N_("systemctl restart fabric-catalogue writes it anew; catalogue.account must be its owner, {account}"),
    who=Who.OPERATOR,
)
