"""What is said of the audit log."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

KEEP_FILES = Reason(
    "audit-keep-files",
    N_("Keep the files as they are, and compare them with a copy. See docs/explanation/audit-log.md."),
    who=Who.OPERATOR,
)
NO_HEAD = Reason(
    "audit-no-head",
    N_("The audit log in {path} has records but no {head}."),
    who=Who.OPERATOR,
    label="audit-log-broken",
    status=503,
)
NOT_A_HEAD = Reason(
    "audit-not-a-head",
    N_("{path} is not the head of an audit log."),
    who=Who.OPERATOR,
    label="audit-log-broken",
    status=503,
)
ENDS_EARLY = Reason(
    "audit-ends-early",
    N_("The audit log ends before record {number}, which its head names: {file} has {found} bytes instead of {size}."),
    who=Who.OPERATOR,
    label="audit-log-broken",
    status=503,
)
NONE_THERE = Reason(
    "audit-none",
    N_("There is no audit log in {path}: record 1 is missing."),
    who=Who.OPERATOR,
    label="audit-log-broken",
    status=503,
)
NOTED_MISSING = Reason(
    "audit-noted-missing",
    N_("The audit log ends at record {last}; record {next} is missing, although record {noted} was noted."),
    who=Who.OPERATOR,
    label="audit-log-broken",
    status=503,
)
RECORD_MISSING = Reason(
    "audit-record-missing",
    N_("Record {next} is missing: the audit log ends before it, although its head names record {number}."),
    who=Who.OPERATOR,
    label="audit-log-broken",
    status=503,
)
NOT_THE_HEADS = Reason(
    "audit-not-the-heads",
    N_("Record {number} is not the one that the audit log's head names."),
    who=Who.OPERATOR,
    label="audit-log-broken",
    status=503,
)
RECORD_WRONG = Reason(
    "audit-record-wrong",
    N_("Record {number} ({file}, byte {offset}) {wrong}."),
    who=Who.OPERATOR,
    label="audit-log-broken",
    status=503,
)
RECORD_WRONG_AT_LINE = Reason(
    "audit-record-wrong-at-line",
    N_("Record {number} ({file}, line {line}, byte {offset}) {wrong}."),
    who=Who.OPERATOR,
    label="audit-log-broken",
    status=503,
)
UNWRITABLE = Reason(
    "audit-unwritable",
    N_("The audit log in {path} cannot be written: {why}."),
    N_("What cannot be recorded is not done. Tell the operators: the disk may be full."),
    who=Who.OPERATOR,
    label="audit-log",
    status=503,
)

# -- what is wrong with a record, after its number

NO_END = Reason("audit-no-end", N_("ends in the middle of its line"), who=Who.OPERATOR)
NOT_CANONICAL = Reason("audit-not-canonical", N_("is not in its canonical form"), who=Who.OPERATOR)
NOT_JSON = Reason("audit-not-json", N_("is not JSON"), who=Who.OPERATOR)
CHANGED = Reason("audit-changed", N_("was changed: its digest is not that of its content"), who=Who.OPERATOR)
OTHER_NUMBER = Reason(
    "audit-other-number",
    N_("is missing: a record with the number {found} stands in its place"),
    who=Who.OPERATOR,
)
NOT_FOLLOWING = Reason(
    "audit-not-following",
    N_("does not follow the record before it: one of the two was changed"),
    who=Who.OPERATOR,
)
NOT_THE_NOTED = Reason("audit-not-the-noted", N_("is not the one that was noted"), who=Who.OPERATOR)

# -- what the command says

WHOLE = Reason(
    "audit-whole",
    P_(
        "The audit log in {path} is whole: {n} record, as it was written.",
        "The audit log in {path} is whole: {n} records, each as it was written.",
    ),
    who=Who.NOBODY,
)
ITS_HEAD = Reason("audit-its-head", N_("Its head is {number}:{digest}"), who=Who.NOBODY)
UNFINISHED = Reason(
    "audit-unfinished",
    N_("After it stand {size} bytes of a write that did not end; the next one puts that right."),
    who=Who.NOBODY,
)
ONLY_BEFORE = Reason(
    "audit-only-before",
    N_("Only what stands before the first wrong record is shown, {number} records."),
    who=Who.OPERATOR,
)
NUMBERS_ONLY = Reason(
    "audit-numbers-only",
    N_("People are shown as numbers, as their names cannot be read: {why}"),
    who=Who.OPERATOR,
)
DAYS_TURNED = Reason("audit-days-turned", N_("{last} is before {first}."), who=Who.OPERATOR, label="usage")
NOBODY = Reason("audit-nobody", N_("Nobody used {dataset} from {first} to {last}."), who=Who.NOBODY)
