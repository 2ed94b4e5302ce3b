"""What an operator is told of descriptions of datasets, their versions and the catalogue."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

# -- descriptions

FILE_UNREADABLE = Reason(
    "dataset-file-unreadable", N_("{path} cannot be read: {why}."), who=Who.OPERATOR, label="dataset-file"
)
FILE_TOO_LARGE = Reason(
    "dataset-file-too-large",
    N_("{path} is larger than {size} bytes."),
    who=Who.OPERATOR,
    label="dataset-file",
)
KEPT = Reason("dataset-field-kept", N_("the catalogue itself keeps this"), who=Who.OPERATOR)
NO_SUCH_FIELD = Reason("dataset-field-unknown", N_("no such field"), who=Who.OPERATOR)
LACKS = Reason("dataset-lacks", "{field}: {what:phrase}", who=Who.OPERATOR)
LACKS_TERMS = Reason(
    "dataset-lacks-terms",
    N_("agreement: the terms that users accept, with a version ({access} needs one)"),
    who=Who.OPERATOR,
)
LACKS_PURPOSES = Reason(
    "dataset-lacks-purposes", N_("purposes: at least one purpose that it may be used for"), who=Who.OPERATOR
)
LACKS_CONTACT = Reason(
    "dataset-lacks-contact",
    N_("contact.email: an e-mail address, or contact.url: a web address"),
    who=Who.OPERATOR,
)
LACKS_VERSION = Reason(
    "dataset-lacks-version",
    N_("a version: fabric-hub datasets pack (an image), or link (a directory)"),
    who=Who.OPERATOR,
)
INCOMPLETE = Reason(
    "dataset-incomplete",
    N_(
        "The dataset {dataset} cannot be published before its file says this too (then: fabric-hub datasets add"
        " FILE.toml):\n{lacks:indented}"
    ),
    who=Who.OPERATOR,
    label="incomplete",
    status=409,
)
EXISTS = Reason(
    "dataset-exists",
    N_("The catalogue has a dataset {dataset} already."),
    N_("See it with: fabric-hub datasets show {dataset}"),
    who=Who.OPERATOR,
    label="dataset-exists",
    status=409,
)
AGREEMENT_CHANGED = Reason(
    "dataset-agreement-same-version",
    N_(
        "The agreement of the dataset {dataset} was published as version {version} with another text, and people may"
        " have accepted that."
    ),
    N_("Give the new text a version of its own; everybody is asked again."),
    who=Who.OPERATOR,
    label="agreement",
    status=409,
)

# -- grants

NO_SUCH_PROJECT = Reason(
    "grant-no-project",
    N_("There is no project {project}."),
    N_("There are: {projects}."),
    who=Who.OPERATOR,
    label="project",
    status=404,
)
NO_PROJECT_AT_ALL = Reason(
    "grant-no-project-at-all",
    N_("There is no project {project}."),
    N_("Make one: fabric-hub projects create"),
    who=Who.OPERATOR,
    label="project",
    status=404,
)
OVER_ALREADY = Reason(
    "grant-over-already", N_("A grant until {until} would be over already."), who=Who.OPERATOR, label="until"
)
NOT_GRANTED = Reason(
    "not-granted",
    N_("The project {project} has no grant of the dataset {dataset}."),
    N_("What is granted: fabric-hub datasets show {dataset}"),
    who=Who.OPERATOR,
    label="not-granted",
    status=404,
)

# -- versions

NO_VERSION = Reason(
    "version-unknown",
    N_("The dataset {dataset} has no version {version}."),
    N_("Its versions: {versions}."),
    who=Who.OPERATOR,
    label="unknown-version",
    status=404,
)
NO_VERSIONS_YET = Reason(
    "version-none-yet",
    N_("The dataset {dataset} has no version yet."),
    N_("Make one: fabric-hub datasets pack, or link."),
    who=Who.OPERATOR,
    label="unknown-version",
    status=404,
)
NO_LIVE_VERSION = Reason(
    "version-none-live",
    N_("The dataset {dataset} has no version that is not retired."),
    N_("Its versions: {versions}."),
    who=Who.OPERATOR,
    label="unknown-version",
    status=404,
)
NO_PUBLISHED_VERSION = Reason(
    "version-not-published",
    N_("The dataset {dataset} has no published version {version}."),
    N_("See its versions: fabric-hub datasets show {dataset}"),
    who=Who.OPERATOR,
    label="unknown-version",
    status=404,
)
NONE_PUBLISHED = Reason(
    "version-none-published",
    N_("The dataset {dataset} has no published version."),
    N_("See its versions: fabric-hub datasets show {dataset}"),
    who=Who.OPERATOR,
    label="unknown-version",
    status=404,
)
OTHER_CONTENT = Reason(
    "version-exists",
    N_("Version {version} of the dataset {dataset} exists with other content: {kind} {path}, sha256 {sha256}."),
    N_("Versions never change: give this content a version of its own."),
    who=Who.OPERATOR,
    label="version-exists",
    status=409,
)
OTHER_SIZE = Reason("version-other-size", N_("{path} has {found} bytes, not {size}"), who=Who.OPERATOR)
CANNOT_READ = Reason("version-cannot-read", N_("{path} cannot be read: {why}"), who=Who.OPERATOR)
OTHER_DIGEST = Reason("version-other-digest", N_("{path} has sha256 {found}, not {sha256}"), who=Who.OPERATOR)

# -- packing a directory

NO_DIRECTORY = Reason("source-no-directory", N_("{path} is not a directory."), who=Who.OPERATOR, label="source")
NO_FILE = Reason(
    "source-no-file",
    N_("There is no file in {path}."),
    N_("A dataset has at least one."),
    who=Who.OPERATOR,
    label="source",
)
UNFIT = Reason(
    "source-unfit",
    N_(
        "{path} cannot become a dataset before this is removed, or made readable for who gives the command:\n"
        "{things:indented}"
    ),
    who=Who.OPERATOR,
    label="source",
)
AT_PATH = Reason("source-at-path", "{path}: {why}", who=Who.OPERATOR)
AND_MORE = Reason("source-and-more", N_("and {number} more"), who=Who.OPERATOR)
LEADS_OUT = Reason("source-leads-out", N_("a link to {target}, which leads out of the dataset"), who=Who.OPERATOR)
ABSOLUTE_LINK = Reason(
    "source-absolute-link",
    N_("a link to {target}, an absolute path, which leads out of the dataset"),
    who=Who.OPERATOR,
)
SET_ID = Reason("source-set-id", N_("has a set-user-ID or set-group-ID bit"), who=Who.OPERATOR)
DEVICE = Reason("source-device", N_("a device"), who=Who.OPERATOR)
PIPE = Reason("source-pipe", N_("a pipe"), who=Who.OPERATOR)
SOCKET = Reason("source-socket", N_("a socket"), who=Who.OPERATOR)
NO_KIND = Reason("source-no-kind", N_("neither file, directory nor link"), who=Who.OPERATOR)
THING_UNREADABLE = Reason("source-unreadable", N_("cannot be read: {why}"), who=Who.OPERATOR)
SHORTER = Reason("source-shorter", N_("became shorter while it was read"), who=Who.OPERATOR)
CHANGED_PACKING = Reason(
    "source-changed-packing",
    N_("{path} was changed while it was packed."),
    N_("Pack a directory that nobody writes to, or a snapshot of it."),
    who=Who.OPERATOR,
    label="source",
)
CHANGED_READING = Reason(
    "source-changed-reading",
    N_("{path} was changed while it was read."),
    N_("Publish a directory that nobody writes to."),
    who=Who.OPERATOR,
    label="source",
)
LOOKING = Reason("pack-looking", N_("Looking at {path}"), who=Who.NOBODY)
PACKING = Reason(
    "pack-packing", P_("Packing {n} file, {size} bytes", "Packing {n} files, {size} bytes"), who=Who.NOBODY
)
READING = Reason(
    "pack-reading",
    P_("Reading {n} file, {size} bytes, for the SHA-256", "Reading {n} files, {size} bytes, for the SHA-256"),
    who=Who.NOBODY,
)
READING_IMAGE = Reason("pack-reading-image", N_("Reading the image, {size} bytes, for its SHA-256"), who=Who.NOBODY)
NO_MKSQUASHFS = Reason(
    "pack-no-mksquashfs",
    N_("mksquashfs is not installed on this machine."),
    N_("Debian: apt-get install squashfs-tools; others: the package squashfs-tools."),
    who=Who.OPERATOR,
    label="pack",
)
MKSQUASHFS_FAILED = Reason(
    "pack-failed",
    N_("mksquashfs could not pack {path}: {why}."),
    N_("Nothing was kept. Check the space in the store (catalogue.store)."),
    who=Who.OPERATOR,
    label="pack",
)
ENDED_WITH = Reason("pack-ended-with", N_("it ended with status {status}"), who=Who.OPERATOR)
STORE_UNWRITABLE = Reason(
    "store-unwritable",
    N_("The store cannot be written: {path}: {why}."),
    N_("catalogue.store must be a directory that belongs to {account}, with free space."),
    who=Who.OPERATOR,
    label="store",
)

# -- who may give the command

NO_ACCOUNT = Reason(
    "catalogue-no-account",
    N_("This machine has no account {account}, to which the catalogue belongs."),
    N_("useradd --system --user-group --shell /usr/sbin/nologin {account}, or correct catalogue.account."),
    who=Who.OPERATOR,
    label="account",
)
OF_ROOT = Reason(
    "catalogue-of-root",
    N_("The catalogue may not belong to root."),
    N_("Give the catalogue service an account of its own, and name it in catalogue.account."),
    who=Who.OPERATOR,
    label="account",
)
OTHERS_CATALOGUE = Reason(
    "catalogue-of-other",
    N_("The catalogue belongs to the account {account}; {caller} may not use it."),
    N_("Give the command as root or as {account}: sudo fabric-hub ..."),
    who=Who.OPERATOR,
    label="account",
    status=403,
)
PASSWORD_IN_URL = Reason(
    "catalogue-password",
    N_("catalogue.database holds a password, and the hub reads the site's file too."),
    N_(
        "Leave it out: let PostgreSQL know the catalogue service's account by its Unix socket (peer), or put the"
        " password in that account's ~/.pgpass."
    ),
    who=Who.OPERATOR,
    label="database",
)
SITE_WITHOUT = Reason(
    "site-without-datasets",
    N_("The site of {path} offers no datasets."),
    N_("Add a section [catalogue] to it: see docs/how-to/publish-a-dataset.md."),
    who=Who.OPERATOR,
    label="no-datasets",
)
