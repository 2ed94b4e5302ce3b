"""Backups, restores, and what a restore leaves to the steward; and the certificates of the hub's own authorities."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

# -- who works on a state

RESTORE_AT_WORK = Reason(
    "restore-at-work",
    N_("A restore is at work on {directory}."),
    N_("Start again when it has ended."),
    who=Who.OPERATOR,
    label="restore",
    status=503,
)
RESTORE_UNFINISHED = Reason(
    "restore-unfinished",
    N_("A restore of {directory} was cut short: what is there is half of a state."),
    N_("Give the same `fabric-hub restore` again; it puts the state before it back first."),
    who=Who.OPERATOR,
    label="restore",
    status=503,
)
STATE_IN_USE = Reason(
    "state-in-use",
    N_("A daemon or a command works on {directory}."),
    N_("Stop hub and catalogue service first; sessions go on."),
    who=Who.OPERATOR,
    label="state-in-use",
    status=409,
)
STATE_UNWRITABLE = Reason(
    "state-unwritable",
    N_("The state directory {directory} cannot be written: {cause}."),
    N_("Check that it exists, belongs to its account and has free space."),
    who=Who.OPERATOR,
    label="state-dir",
    status=503,
)

# -- making one

BACKUP_EXISTS = Reason(
    "backup-exists",
    N_("{directory} is there already, and a backup overwrites nothing."),
    N_("Name a directory that does not exist, on a file system with space."),
    who=Who.OPERATOR,
    label="usage",
)
BACKUP_FAILED = Reason(
    "backup-failed",
    N_("The backup failed: {cause}."),
    N_("Nothing was kept of it; hub and catalogue service go on as before."),
    who=Who.OPERATOR,
    label="backup",
    status=503,
)
DATABASE_BUSY = Reason(
    "backup-database-busy",
    N_("The database {name} did not come to rest within {seconds:number} seconds."),
    N_("Try again; if it stays so, look for a transaction that does not end."),
    who=Who.OPERATOR,
    label="backup",
    status=503,
)
DATABASE_ELSEWHERE = Reason(
    "backup-database-elsewhere",
    N_("The database {name} is {path}, and a backup takes SQLite's from {directory} only."),
    N_("Leave its setting out, or name a database of PostgreSQL."),
    who=Who.OPERATOR,
    label="backup",
)
BACKUP_NOT_ON_RECORD = Reason(
    "backup-not-on-record",
    N_("The backup is made and whole, and the hub could not be told of it: {cause}."),
    N_("Check hub.state_dir; until then metrics and doctor go by the backup before."),
    who=Who.OPERATOR,
    label="backup",
    status=503,
)
SERIES_OPEN = Reason(
    "backups-open",
    N_("{directory} can be written by others than the account that makes backups."),
    N_("Make it that account's own: chown root: {directory}; chmod 0700 {directory}"),
    who=Who.OPERATOR,
    label="backup",
)
SERIES_BUSY = Reason(
    "backups-busy",
    N_("Another backup into {directory} is at work."),
    N_("Wait until it has ended."),
    who=Who.OPERATOR,
    label="backup",
    status=409,
)
BACKUP_WHERE = Reason(
    "backup-where",
    N_("Name a directory that does not exist yet, or a series with --into, and --keep only with a series."),
    who=Who.OPERATOR,
    label="usage",
)
BACKUPS_REMOVED = Reason(
    "backups-removed",
    P_("{n} older backup is removed: {names}", "{n} older backups are removed: {names}"),
    who=Who.NOBODY,
)
BACKUP_MADE = Reason(
    "backup-made",
    N_("Backup of {at:clock} in {directory}: {bytes:size}; writers waited {ms:number} ms."),
    who=Who.NOBODY,
)
BACKUP_SECRETS = Reason(
    "backup-secrets",
    N_("It holds the cookie secret and the keys of the authorities: keep it as you keep those."),
    who=Who.OPERATOR,
)
BACKUP_NO_SECRETS = Reason(
    "backup-no-secrets",
    N_("It holds no keys: where the hub's own are lost, running sessions cannot be reached again."),
    who=Who.OPERATOR,
)

# -- the newest one, as doctor tells of it

WHAT_BACKUPS = Reason("doctor-backups", N_("the newest backup"), who=Who.OPERATOR)
BACKUP_NEW = Reason("doctor-backup-new", N_("the newest backup is {age:left} old: {directory}"), who=Who.NOBODY)
BACKUP_NONE = Reason(
    "doctor-backup-none",
    N_("no backup of this hub was ever made"),
    N_("fabric-hub backup makes one, fabric-backup.timer one each night"),
    who=Who.OPERATOR,
)
BACKUP_OLD = Reason(
    "doctor-backup-old",
    N_("the newest backup is {age:left} old: {directory}"),
    N_("see why with: systemctl status fabric-backup.timer fabric-backup.service"),
    who=Who.OPERATOR,
)
BACKUP_GONE = Reason(
    "doctor-backup-gone",
    N_("the newest backup is not there any more: {directory}"),
    N_("make sure that a copy is elsewhere, or make another with: fabric-hub backup"),
    who=Who.OPERATOR,
)
BACKUP_DAMAGED = Reason(
    "doctor-backup-damaged",
    N_("the newest backup is not whole any more: {directory}"),
    N_("make another with: fabric-hub backup"),
    who=Who.OPERATOR,
)

# -- putting one back

NO_BACKUP = Reason(
    "no-backup",
    N_("{directory} is no backup that this release can read: {cause}."),
    N_("Name the directory that `fabric-hub backup` made."),
    who=Who.OPERATOR,
    label="backup",
)
BACKUP_CHANGED = Reason(
    "backup-changed",
    N_("{file} of the backup is not as it was made: its digest differs."),
    N_("Take another backup; nothing was changed."),
    who=Who.OPERATOR,
    label="backup",
)
BACKUP_NEWER = Reason(
    "backup-newer",
    N_("The database {name} of the backup has schema {revision}, which this release ({release}) does not know."),
    N_("Restore with the release that made it ({made_by}), or a later one; nothing was changed."),
    who=Who.OPERATOR,
    label="backup",
)
BACKUP_OTHER_HUB = Reason(
    "backup-other-hub",
    N_("The backup is of the hub {theirs}, and this is the hub {ours} (hub.id)."),
    N_("Name a backup of this hub; nothing was changed."),
    who=Who.OPERATOR,
    label="backup",
)
BACKUP_OTHER_KIND = Reason(
    "backup-other-kind",
    N_("The database {name} of the backup is {kind}, and the site's file names {wanted}."),
    N_("Restore to the same kind of database; nothing was changed."),
    who=Who.OPERATOR,
    label="backup",
)
RESTORE_FAILED = Reason(
    "restore-failed",
    N_("The restore failed: {cause}."),
    N_("Give it again when that is mended; the state before it is kept."),
    who=Who.OPERATOR,
    label="restore",
    status=503,
)
LOG_UNUSABLE = Reason(
    "audit-copy-unusable",
    N_("The copy of the audit log in {directory} cannot be used: {cause}."),
    N_("Name a directory with the files of the audit log and their head.json."),
    who=Who.OPERATOR,
    label="audit-log-broken",
)
RESTORED = Reason(
    "restored",
    N_("Restored: the state of {at:clock}. What was there before is in {kept}."),
    who=Who.NOBODY,
)
WOULD_RESTORE = Reason(
    "would-restore",
    N_("The backup of {at:clock} can be restored. Nothing was changed (--dry-run)."),
    who=Who.NOBODY,
)
LOGINS_VOID = Reason(
    "restore-logins-void",
    P_(
        "{n} API token or login of a browser is void: people log in again. Sessions go on.",
        "{n} API tokens and logins of browsers are void: people log in again. Sessions go on.",
    ),
    who=Who.NOBODY,
)
LOGINS_KEPT = Reason(
    "restore-logins-kept",
    N_("Logins and API tokens are those of the backup, also what was revoked since."),
    who=Who.OPERATOR,
)
GRANT_KEPT = Reason("restore-grant-kept", N_("kept: {project} may use {dataset}"), who=Who.NOBODY)
GRANT_REVOKED = Reason(
    "restore-grant-revoked", N_("not brought back: the grant of {dataset} to {project} was revoked since"),
    who=Who.NOBODY,
)  # fmt: skip
GRANT_SHUT = Reason(
    "restore-grant-shut",
    N_("shut: only the backup knows the grant of {dataset} to {project}"),
    who=Who.OPERATOR,
)
DATASET_RETIRED = Reason(
    "restore-dataset-retired", N_("retired: {dataset} was taken out of use, or narrowed, since"), who=Who.OPERATOR
)
SHUT_NEXT = Reason(
    "restore-shut-next",
    P_(
        "{n} grant stays shut until the steward confirms it: fabric-hub datasets held",
        "{n} grants stay shut until the steward confirms them: fabric-hub datasets held",
    ),
    who=Who.OPERATOR,
)

# -- back to an earlier release

ROLLED_BACK = Reason("rolled-back", N_("{name}: schema {before} is {after} again"), who=Who.NOBODY)
NOT_ROLLED_BACK = Reason(
    "not-rolled-back", N_("Every database has the schema of that release already."), who=Who.NOBODY
)
START_RELEASE = Reason(
    "start-release", N_("Start release {release} now, and not this one: it would go forward again."), who=Who.OPERATOR
)
JUPYTERHUB_STAYS = Reason(
    "jupyterhub-schema",
    N_("JupyterHub's own database has schema {revision}, and the backup has {wanted}: JupyterHub cannot go back."),
    N_("Keep the newer JupyterHub, or restore the backup; nothing was changed."),
    who=Who.OPERATOR,
    label="backup",
)

# -- what the steward confirms

NOTHING_HELD = Reason("no-grants-held", N_("No grant waits for the steward's word."), who=Who.NOBODY)
HELD_GRANT = Reason(
    "grant-held",
    N_("{dataset}: {project}, granted by {by} at {at:clock}, shut by a restore at {held_at:clock}"),
    who=Who.OPERATOR,
)
NO_SUCH_HELD = Reason(
    "grant-not-held",
    N_("No grant of the dataset {dataset} to the project {project} waits for the steward's word."),
    N_("What does: fabric-hub datasets held"),
    who=Who.OPERATOR,
    label="not-held",
    status=404,
)
CONFIRMED = Reason("grant-confirmed", N_("Confirmed: {project} may use {dataset} again."), who=Who.NOBODY)
DISMISSED = Reason("grant-dismissed", N_("Dropped: the grant of {dataset} to {project} is gone."), who=Who.NOBODY)

# -- certificates of internal TLS

NO_INTERNAL_TLS = Reason(
    "no-internal-tls",
    N_("This hub has no certificates of its own: internal TLS is off, or the hub was never started."),
    N_("See hub.internal_ssl in the site's file."),
    who=Who.OPERATOR,
    label="certificates",
)
CERTIFICATE_ENDS = Reason(
    "certificate-ends", N_("{name}: valid until {day:day}, {n:number} days from now"), who=Who.NOBODY
)
CERTIFICATE_OVER = Reason("certificate-over", N_("{name}: ended on {day:day}"), who=Who.OPERATOR)
CERTIFICATE_OF_SITE = Reason("certificate-of-site", N_("{name}: the site's own, not renewed here"), who=Who.OPERATOR)
CERTIFICATES_RENEWED = Reason(
    "certificates-renewed",
    N_("Renewed until {day:day}. Start hub and proxy again; sessions that run trust the new certificates already."),
    who=Who.OPERATOR,
)
CERTIFICATES_END_SOON = Reason(
    "certificates-end-soon",
    N_("The hub's internal certificate {name} ends on {day:day}; then no session can be reached."),
    N_("Stop the hub, give `fabric-hub certs renew`, and start it again; sessions go on."),
    who=Who.OPERATOR,
)
