"""Every field that we keep is in the register of personal fields: as personal, or as nothing of a person."""

from __future__ import annotations

import importlib
import json
import typing
from pathlib import Path

import pytest
import sqlalchemy as sa
from jupyterhub import orm

from fabric_hub.catalogue import tables as catalogue_tables
from fabric_hub.cli import main
from fabric_hub.config.privacy import PrivacySettings, PurposeName
from fabric_hub.gateway.ledger import Ledger
from fabric_hub.gateway.projects.record import Record
from fabric_hub.messages.reader import Reader, reading
from fabric_hub.privacy.documents import DOCUMENTS, FILES, GATEWAY_LIMITS
from fabric_hub.privacy.model import Act, Document, Personal, Purpose, Store, Table
from fabric_hub.privacy.register import PLACES, TABLES, as_json, register
from fabric_hub.sessions import tables as record_tables
from tests.support.builders import least_site_text

OURS = {
    Store.SESSIONS: record_tables.metadata,
    Store.CATALOGUE: catalogue_tables.metadata,
    Store.JUPYTERHUB: orm.Base.metadata,
}


def unlisted(metadata: sa.MetaData, tables: tuple[Table, ...]) -> tuple[list[str], list[str]]:
    """(columns that no line of the register is about, lines that are about no column)."""
    there = {f"{table.name}.{column.name}" for table in metadata.sorted_tables for column in table.columns}
    listed = {f"{table.name}.{column}" for table in tables for column in table.columns}
    return sorted(there - listed), sorted(listed - there)


@pytest.mark.parametrize("store", OURS)
def test_every_column_of_every_table_is_in_the_register(store: Store) -> None:
    missing, stale = unlisted(OURS[store], TABLES[store])
    assert missing == [], "say in fabric_hub/privacy what each is of a person (or None), one line for each column"
    assert stale == []


def test_a_column_that_is_not_listed_is_found() -> None:
    metadata = sa.MetaData()
    sa.Table("readers", metadata, *(sa.Column(name, sa.Text) for name in ("user", "language", "birthday")))
    readers = tuple(table for table in TABLES[Store.SESSIONS] if table.name == "readers")
    assert unlisted(metadata, readers) == (["readers.birthday"], [])


def test_every_column_of_the_gateways_ledger_is_in_the_register() -> None:
    ledger = Ledger(None, "main")
    try:
        names = [row[0] for row in ledger._file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {name: {row[1] for row in ledger._file.execute(f"PRAGMA table_info({name})")} for name in names}
    finally:
        ledger.close()
    assert columns == {table.name: set(table.columns) for table in TABLES[Store.LEDGER]}


def test_every_column_of_what_the_gateway_sets_for_projects_is_in_the_register() -> None:
    record = Record(None, "fabric")
    try:
        names = [row[0] for row in record._file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {f"{name}.{row[1]}" for name in names for row in record._file.execute(f"PRAGMA table_info({name})")}
    finally:
        record.close()
    (listed,) = (files for files in FILES if files.place == GATEWAY_LIMITS)
    table = GATEWAY_LIMITS.rpartition(" ")[2]
    assert columns == {f"{table}.{column}" for column in listed.columns}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.model)
def test_every_field_of_every_document_is_in_the_register(document: Document) -> None:
    module, _, name = document.model.partition(":")
    model = getattr(importlib.import_module(module), name)
    assert set(document.columns) == set(model.model_fields)


def test_what_is_personal_in_a_table_is_somebodys_and_what_is_somebodys_is_personal() -> None:
    for tables in TABLES.values():
        for table in tables:
            personal = {name for name, column in table.columns.items() if column is not None}
            for link in table.links:
                assert link.through or link.column in personal, f"{table.name}.{link.column}"
                assert set(link.only or ()) <= set(table.columns), table.name
            if not table.links:
                kept = {name for name in personal if _act(table.columns[name]) is not Act.KEEP}
                assert kept == set(), f"{table.name}: nobody finds whose these are"


def test_a_row_that_stays_has_a_way_for_each_of_its_personal_columns() -> None:
    for tables in TABLES.values():
        for table in tables:
            for link in table.links:
                if not link.rows:
                    for name in link.only or table.columns:
                        column = table.columns[name]
                        assert column is None or column.erasure is not None, f"{table.name}.{name}"


def _act(column: Personal | None) -> Act | None:
    return column.erasure.act if column and column.erasure else Act.DELETE if column else None


def test_an_exception_says_why() -> None:
    for line in register():
        if line.erasure.act is Act.KEEP:
            assert line.erasure.said.code.startswith(("privacy-kept", "privacy-without-name")), line


def test_the_purposes_of_the_setting_are_those_of_the_register() -> None:
    assert set(typing.get_args(PurposeName)) == set(Purpose)
    assert {place.purpose for place in PLACES} == set(Purpose)


def test_the_basis_is_what_the_site_states() -> None:
    settings = PrivacySettings(basis={"support": "contract"})
    by_purpose = {line["purpose"]: line["basis"] for line in as_json(settings)}
    assert by_purpose["support"] == "contract"
    assert by_purpose["login"] == "as the site's privacy statement says"


def test_the_register_says_each_thing_once() -> None:
    lines = [(line.store, line.where, line.field) for line in register()]
    assert len(lines) == len(set(lines))


# Every sentence of the register, as it stands there.
SAID = """
name at the hub|Unix account or its number|name and address of a contact|when it was done or happened
what was chosen for a session|where a session runs: job, node, port|which session it was|a name that the person gave
what the person wrote|what was decided about the person, or by them, and why|lines of a session's log
names of files that were open|a key or token, or what is made of one|role or membership|number in the audit log
identity at a provider, and what it said at a login|use of GPUs, CPUs or storage
language|datasets that are used or asked for, and what for|whether a session is in use
how a start or a session went, and how it ended|network address, browser, page
everything that the stores had at that moment
what an institution claims of who is invited, until it is confirmed
let the person in, and know them again|start, show and end sessions|add up what is used, and show it
help where something does not work|open data and projects to those who may use them
prove later who used which data, and who decided|spare the person saying it again|tell people what concerns them
run the service, and find faults|bring everything back after a loss|as the site's privacy statement says
as privacy.keep_days says (by default 730 days)|as notices.keep_days says (by default 400 days)
what the person was told|as reports.keep_days says (by default 90 days)|1 day|30 days|400 days
as long as the person is a user of the hub|as long as the session lives
as long as the person is in the project or has the role|until it expires or is revoked
until an operator erases the person|until the person removes it|until who answers for the dataset changes it
as long as the catalogue is kept
as long as the site keeps its logs (journald, log files)|as long as the site keeps the audit log
as long as the site keeps backups (fabric-hub backup --keep)
as long as Slurm's accounting keeps it (slurmdbd's Purge settings)
deleted|emptied|replaced by a random number|only the code of the reason stays
only the role stays, without the name|only a digest stays, so that nobody else is given the name
stays for sums, without the person|digest of a name or an identity
written anew by itself, without the person
kept: the audit log is proof; it has people as numbers, and names only in records of earlier releases
kept: a number is never another person's, and leads to nobody any more|kept: Slurm and its accounting are the site's
kept: a digest that leads to nobody, so that nobody is given a second starter project
kept: it tells a limit that the gateway set in Slurm from one that was set by hand
as long as Slurm follows the projects (slurm.parent_account)
kept: without the person's name only Slurm's accounting tells whose it was|kept: logs go when their time is over
kept: backups go when their time is over; erase again after a restore
kept until an operator takes the person out of the site's file
kept: who answers for the dataset names its contact|kept where it was sent: the site's support has it
"""
KEYS = ("what", "purpose_said", "basis", "kept", "erasure_said")


def test_what_the_register_says() -> None:
    said = {line[key] for line in as_json(None) for key in KEYS}
    assert said == {sentence for line in SAID.strip().splitlines() for sentence in line.split("|")}


def test_the_register_speaks_dutch() -> None:
    with reading(Reader(language="nl")):
        dutch = {line[key] for line in as_json(None) for key in KEYS}
    with reading(Reader(language="en")):
        english = {line[key] for line in as_json(None) for key in KEYS}
    assert dutch & english == set()


def test_the_command_prints_it_with_the_sites_basis_in_the_language_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site.toml"
    site.write_text(least_site_text(tmp_path, '[privacy]\nbasis.support = "contract"\n'))
    assert main(["privacy", "register", "--json", "--site", str(site)]) == 0
    lines = {(line["place"], line["field"]): line for line in json.loads(capsys.readouterr().out)}
    assert lines["problem_reports", "report"]["basis"] == "contract"
    assert lines["sessions", "user"]["erasure"] == "number"
    assert main(["privacy", "register", "--language", "nl", "--site", str(site)]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split("\t") == ["plaats", "veld", "wat", "waarvoor", "grondslag", "bewaard", "bij wissen"]
    assert len(rows) == len(lines)
    assert any(row.startswith("problem_reports\treport\twat de persoon schreef\t") for row in rows)
