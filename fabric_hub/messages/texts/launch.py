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
    N_("{user} isn't in a project yet."),
    N_("Ask a project owner to add you."),
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

# -- user options

OPTIONS_NO_OBJECT = Reason(
    "options-no-object", N_("User options must be an object."), N_("Options are {names}."), label="options"
)
OPTIONS_ARE = Reason("options-are", N_("Options are {names}."), label="options")
OPTIONS_MORE_WRONG = Reason(
    "options-more-wrong", P_("There is {n} more mistake.", "There are {n} more mistakes."), label="options"
)
OPTION_UNKNOWN = Reason("option-unknown", N_("There is no option {name}."), label="options")
OPTION_HOURS = Reason("option-hours", N_("Option hours must be a number above 0 (at most {most})."), label="options")
OPTION_AGREEMENTS = Reason(
    "option-agreements",
    N_(
        "Option agreements must give each dataset {form}: the version that was read, and one of the dataset's purposes."
    ),
    label="options",
)
OPTION_DATASETS = Reason(
    "option-datasets",
    N_("Option datasets must be at most {most} names in lower-case letters, digits and hyphens."),
    label="options",
)
OPTION_NAME = Reason(
    "option-name", N_("Option {option} must be one name in lower-case letters, digits and hyphens."), label="options"
)

# -- the site's own settings

SETTINGS_WRONG = Reason(
    "settings-wrong",
    N_("The hub's configuration sets {names} to something Slurm does not take."),
    N_("Tell the operator: fabric-hub check-config names it."),
    who=Who.OPERATOR,
    label="configuration",
    status=500,
)
SETTING_WRONG = Reason(
    "setting-wrong",
    N_("The hub's configuration sets {name} to {value}, which Slurm does not take."),
    N_("Tell the operator: fabric-hub check-config names it."),
    who=Who.OPERATOR,
    label="configuration",
    status=500,
)
HOOK_WITHOUT_EFFECT = Reason(
    "hook-without-effect",
    N_("A hook of this site sets {names}, which has no effect here."),
    N_("Tell the operator: fabric-hub check-config says what takes its place."),
    who=Who.OPERATOR,
    label="configuration",
    status=500,
)
HOOK_ACCOUNT = Reason(
    "hook-account",
    N_("A hook of this site wants account {wanted}, but project {project} is charged to {account}."),
    N_("Tell the operator: an account needs a project of its own."),
    who=Who.OPERATOR,
    label="configuration",
    status=500,
)

# -- what a job asks for, and whether it can start

GPUS_ASKED = Reason("gpus-asked", P_("{n} GPU", "{n} GPUs"), who=Who.NOBODY)
GPUS_OF_TYPE_ASKED = Reason("gpus-of-type-asked", P_("{n} {type} GPU", "{n} {type} GPUs"), who=Who.NOBODY)
SHARDS_ASKED = Reason("shards-asked", P_("{n} GPU shard", "{n} GPU shards"), who=Who.NOBODY)
SHARDS_OF_TYPE_ASKED = Reason(
    "shards-of-type-asked", P_("{n} {type} GPU shard", "{n} {type} GPU shards"), who=Who.NOBODY
)
CPUS_ASKED = Reason("cpus-asked", P_("{n} CPU", "{n} CPUs"), who=Who.NOBODY)
CORES = Reason("cores", P_("{n} core", "{n} cores"), who=Who.NOBODY)
MEMORY = Reason("memory", N_("{memory:memory} memory"), who=Who.NOBODY)
CPU_ONLY = Reason("cpu-only", N_("CPU"), who=Who.NOBODY)
TIMES_GPU = Reason("times-gpu", N_("{number} × {type}"), who=Who.NOBODY)  # noqa: RUF001 - the sign for times
SHARED_GPU = Reason("shared-gpu", P_("Shared GPU", "Shared GPU ({n} shards)"), who=Who.NOBODY)
SHARED_GPU_OF_TYPE = Reason("shared-gpu-of-type", P_("Shared {type}", "Shared {type} ({n} shards)"), who=Who.NOBODY)

JOB_ASKS = Reason("job-asks", "{things:dots}", who=Who.NOBODY)

NO_NODE_IN_PARTITION = Reason(
    "no-node-in-partition",
    N_("Slurm has no node in partition {partition}."),
    who=Who.OPERATOR,
    label="impossible",
    status=409,
)
NO_NODE_HAS = Reason("no-node-has", N_("No node here has {things:list}."), label="impossible", status=409)
NO_NODE_HAS_WITH_MEMORY = Reason(
    "no-node-has-with-memory",
    N_("No node here has {things:list} with {memory:memory} memory."),
    label="impossible",
    status=409,
)
UPDATED = Reason("machines-updated", N_("Updated {seconds:age}"), who=Who.NOBODY)
FREE_OF = Reason("free-of", N_("{free} of {places} free"), who=Who.NOBODY)
ALL_BUSY = Reason("all-busy", N_("All in use"), who=Who.NOBODY)
FREE_UNTIL_RESERVED = Reason("free-until-reserved", N_("Free for {time:duration}"), who=Who.NOBODY)
FREE_UNTIL_MAINTENANCE = Reason(
    "free-until-maintenance", N_("Free for {time:duration}, until maintenance"), who=Who.NOBODY
)
OUT_OF_SERVICE = Reason("out-of-service", N_("Out of service"), who=Who.OPERATOR)
AVAILABLE_NOW = Reason("available-now", N_("Available now"), who=Who.NOBODY)
ALL_IN_USE = Reason("all-in-use", N_("All in use. You'd wait in the queue."), who=Who.NOBODY)
NOT_KNOWN_NOW = Reason("not-known-now", N_("Not known now"), who=Who.NOBODY)
ON_HUBS_MACHINE = Reason("on-hubs-machine", N_("Runs on the hub's own machine"), who=Who.NOBODY)
NOT_ON_THIS_HUB = Reason("not-on-this-hub", N_("Not on this hub, which may not act for its users"), who=Who.OPERATOR)

# -- a Dask cluster's jobs

NODE_LOST = Reason("node-lost", N_("Slurm took node {node} out of service: {reason}."), who=Who.OPERATOR)

# -- what more workers of a cluster would cost, and what keeps them waiting

PROFILE_NOT_FOR_WORKERS = Reason(
    "profile-not-for-workers",
    N_("Profile {profile} is not one of project {project} for Dask workers."),
    N_("It has {profiles}."),
    label="profile",
    status=403,
)
NO_PROFILE_FOR_WORKERS = Reason(
    "no-profile-for-workers",
    N_("Profile {profile} is not one of project {project} for Dask workers."),
    N_("It has none."),
    who=Who.OPERATOR,
    label="profile",
    status=403,
)
WORKERS_IMPOSSIBLE = Reason(
    "workers-impossible",
    N_("Workers of profile {profile} cannot run here."),
    N_("Choose another profile."),
    label="impossible",
    status=409,
)
WORKERS_CANNOT_SHARE = Reason(
    "workers-cannot-share",
    N_("{number} workers of profile {profile} cannot share a job here."),
    N_("Say workers_per_job= with a smaller number."),
    label="impossible",
    status=409,
)
TOO_MANY_TO_SUBMIT = Reason(
    "workers-too-many-to-submit",
    P_("{n} worker cannot be submitted.", "{n} workers cannot be submitted."),
    N_("{possible} can be had."),
    label="limit-account",
    status=409,
)
COST = Reason("workers-cost", N_("{hours} per hour."), who=Who.NOBODY)
COST_ADDED = Reason("workers-cost-added", N_("{hours} per hour (+{added:number})."), who=Who.NOBODY)
COST_STARTS = Reason("workers-cost-starts", N_("{hours} per hour · can start now."), who=Who.NOBODY)
COST_ADDED_STARTS = Reason(
    "workers-cost-added-starts", N_("{hours} per hour (+{added:number}) · can start now."), who=Who.NOBODY
)
BUDGET_LASTS = Reason(
    "workers-budget-lasts",
    N_("The project has {left} left: with these workers that lasts {lasts:about}."),
    who=Who.OWNER,
)
PLACES_UNKNOWN = Reason(
    "workers-places-unknown",
    N_("Slurm does not answer now, so it is not known when they start."),
    who=Who.NOBODY,
)
OTHERS_START = Reason("workers-others-start", N_("{number} more can start now."), who=Who.NOBODY)
NONE_STARTS = Reason(
    "workers-none-starts",
    P_("It can't start now and will queue.", "None can start now; all {n} will queue."),
    who=Who.NOBODY,
)
NO_OTHER_STARTS = Reason("workers-no-other-starts", N_("No more can start now; {wait} will queue."), who=Who.NOBODY)
SOME_START = Reason("workers-some-start", N_("{now} start now, {wait} queue."), who=Who.NOBODY)
