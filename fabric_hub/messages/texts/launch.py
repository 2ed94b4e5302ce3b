"""What may be started, and why not."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

PROJECT_NO_PROFILES = Reason(
    "project-no-profiles",
    N_("Project {project} has no profiles."),
    N_("Ask an operator to add one."),
    who=Who.OPERATOR,
    label="profile",
    status=403,
)
PROFILE_NOT_OF_PROJECT = Reason(
    "profile-not-of-project",
    N_("Profile {profile} is not one of project {project}."),
    N_("It has {profiles}."),
    label="profile",
    status=403,
)
NO_IMAGE = Reason(
    "no-image",
    N_("This site offers no image."),
    N_("Ask an operator to build one."),
    who=Who.OPERATOR,
    label="image",
    status=403,
)
IMAGE_NOT_OF_PROJECT = Reason(
    "image-not-of-project",
    N_("Image {image} is not one of project {project}."),
    N_("It has {images}."),
    label="image",
    status=403,
)
PROFILE_HOURS = Reason(
    "profile-hours",
    P_(
        "Profile {profile} allows at most {n:number} hour, not {hours:number}.",
        "Profile {profile} allows at most {n:number} hours, not {hours:number}.",
    ),
    N_("Ask for less time."),
    label="hours",
    status=403,
)
NO_PROJECT = Reason(
    "no-project",
    N_("User {user} is a member of no project."),
    N_("Ask the owner of a project to add you."),
    who=Who.OWNER,
    label="project",
    status=403,
)
NOT_A_MEMBER = Reason(
    "not-a-member",
    N_("User {user} is not a member of project {project}."),
    N_("Your projects are {projects}."),
    label="project",
    status=403,
)
WHICH_PROJECT = Reason(
    "which-project",
    N_("Which project? You are a member of several."),
    N_("Set project to one of {projects}."),
    label="project",
)
