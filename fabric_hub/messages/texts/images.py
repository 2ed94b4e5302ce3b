"""What is said when an image is built."""

from __future__ import annotations

from fabric_hub.messages.text import Reason, Who
from fabric_hub.messages.translation import N_

# -- refusals

NO_UV = Reason(
    "image-no-uv",
    N_("uv is missing: it is not beside {python}, nor on PATH."),
    N_("Run make setup in a checkout; beside a wheel install fabric-hub[build]."),
    who=Who.OPERATOR,
    label="build-tool",
)
NO_PYTHON = Reason(
    "image-no-python",
    N_("{python} is missing: images are made with the machine's own Python."),
    who=Who.OPERATOR,
    label="build-tool",
)
CANNOT_BUILD = Reason(
    "image-cannot-build",
    N_("Image {image} cannot be built in {path}: {why}."),
    N_("Its directory must be writable by the user who builds, with some GB free."),
    who=Who.OPERATOR,
    label="image-build",
)
NO_IPYKERNEL = Reason(
    "image-no-ipykernel",
    N_("{path} is missing: the lock file does not hold ipykernel."),
    who=Who.OPERATOR,
    label="image-build",
)
NO_VARIANT = Reason(
    "image-no-variant",
    N_("Image {image} has no variant {variant}; it has {variants}."),
    who=Who.OPERATOR,
    label="image",
)
NO_RECIPES = Reason(
    "image-no-recipes",
    N_("{path} holds no recipes of images (images/)."),
    N_("Install Fabric Hub from a release's wheel, or set {variable} to a checkout."),
    who=Who.OPERATOR,
    label="image-source",
)
UNKNOWN = Reason(
    "image-unknown",
    N_("There is no image {image}; known images: {known}."),
    who=Who.OPERATOR,
    label="image",
    status=404,
)
NO_LOCK_FILE = Reason(
    "image-no-lock-file",
    N_("{path} names the lock file {lock}, which is not there."),
    who=Who.OPERATOR,
    label="image",
)
RECIPE_WRONG = Reason("image-recipe-wrong", "{path}: {wrong}.", who=Who.OPERATOR, label="image")
WHEELS = Reason(
    "image-wheels",
    N_("{path} holds {number} wheels of fabric-lab, and an image needs one."),
    N_("Install Fabric Hub from a release's wheel; one that was built by hand lacks what make dist adds."),
    who=Who.OPERATOR,
    label="image-source",
)

# -- a step that failed; {doing} is what the step is for

PROGRAM_MISSING = Reason(
    "image-program-missing", N_("{program} is missing, needed for {doing}."), who=Who.OPERATOR, label="build-tool"
)
NOT_ENDED = Reason(
    "image-not-ended", N_("After {seconds} s {doing} had not ended."), who=Who.OPERATOR, label="image-build"
)
DISK_FULL = Reason(
    "image-disk-full",
    N_("The disk is full: {doing} stopped.\n{last}"),
    N_("Free some space, or set images.dir to a larger file system; then build again."),
    who=Who.OPERATOR,
    label="disk-full",
)
STEP_FAILED = Reason(
    "image-step-failed",
    N_("{doing:capital} failed (status {status}).\n{last}"),
    who=Who.OPERATOR,
    label="image-build",
)
ASKING_PYTHON = Reason("image-asking-python", N_("asking Python for its version"), who=Who.NOBODY)
MAKING_ENVIRONMENT = Reason("image-making-environment", N_("making the environment of {image}"), who=Who.NOBODY)
INSTALLING = Reason("image-installing", N_("installing the packages of {image}"), who=Who.NOBODY)
INSTALLING_WHEEL = Reason("image-installing-wheel", N_("installing {wheel}"), who=Who.NOBODY)
BUILDING_WHEEL = Reason("image-building-wheel", N_("building the fabric-lab wheel"), who=Who.NOBODY)
FETCHING = Reason("image-fetching", N_("fetching the front end's packages"), who=Who.NOBODY)
BUILDING_FRONT_END = Reason("image-building-front-end", N_("building the JupyterLab front end"), who=Who.NOBODY)
IMPORTING = Reason("image-importing", N_("importing what image {image} promises"), who=Who.NOBODY)
TESTING = Reason("image-testing", N_("the test of image {image}"), who=Who.NOBODY)

# -- progress

SAY_LIVE = Reason("image-live", N_("Image {image} is now build {build}."), who=Who.NOBODY)
SAY_REMOVING_UNFINISHED = Reason(
    "image-removing-unfinished", N_("Removing the unfinished build {build}."), who=Who.NOBODY
)
SAY_REMOVING_OLD = Reason(
    "image-removing-old", N_("Removing build {build}, replaced more than 30 days ago."), who=Who.NOBODY
)
SAY_READY = Reason("image-ready", N_("Image {image} is ready after {seconds} s."), who=Who.NOBODY)
SAY_INSTALLING = Reason("image-say-installing", N_("Installing the packages of image {image}."), who=Who.NOBODY)
SAY_TESTING = Reason("image-say-testing", N_("Testing image {image}."), who=Who.NOBODY)
SAY_BUILDING_WHEEL = Reason("image-say-building-wheel", N_("Building the fabric-lab wheel."), who=Who.NOBODY)
SAY_FETCHING = Reason("image-say-fetching", N_("Fetching the front end's packages."), who=Who.NOBODY)
SAY_BUILDING_FRONT_END = Reason(
    "image-say-building-front-end", N_("Building the JupyterLab front end."), who=Who.NOBODY
)
SAY_HIDDEN = Reason(
    "image-hidden",
    N_("Other users cannot reach this image: {path} is closed to them (chmod o+x, or move images.dir)."),
    who=Who.OPERATOR,
)
