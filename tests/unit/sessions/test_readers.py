"""What each person chose is read from the database once, and is what they chose last."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from fabric_hub.errors import FabricError
from fabric_hub.sessions import readers
from fabric_hub.sessions.readers import ReaderBook
from fabric_hub.sessions.store import SessionStore


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    store = SessionStore(f"sqlite:///{tmp_path}/sessions.sqlite")
    yield store.engine
    store.close()


@pytest.fixture
def asked(engine: sa.Engine) -> list[str]:
    """Questions to the database for a language."""
    questions: list[str] = []

    @sa.event.listens_for(engine, "before_cursor_execute")
    def _note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.startswith("SELECT") and "readers" in statement:
            questions.append(statement)

    return questions


def test_many_requests_of_one_person_ask_the_database_once(engine: sa.Engine, asked: list[str]) -> None:
    book = ReaderBook(engine)
    assert [book.language("ann") for _ in range(5)] == [None] * 5
    assert len(asked) == 1, "that a person has not chosen is known, too"
    book.remember("ben", "nl")
    assert [book.language(name) for name in ("ben", "ann", "ben")] == ["nl", None, "nl"]
    assert len(asked) == 2


def test_a_choice_counts_from_the_next_request_on(engine: sa.Engine) -> None:
    book = ReaderBook(engine)
    for language in ("nl", "en", "nl"):
        book.remember("ann", language)
        assert book.language("ann") == language
    assert ReaderBook(engine).language("ann") == "nl", "it is in the database"


def test_requests_at_once_never_leave_an_old_choice_behind(engine: sa.Engine) -> None:
    book = ReaderBook(engine)
    with ThreadPoolExecutor(4) as pool:
        for number in range(20):
            language = ("nl", "en")[number % 2]
            work = [pool.submit(book.language, "ann") for _ in range(4)]
            work.append(pool.submit(book.remember, "ann", language))
            work += [pool.submit(book.language, "ann") for _ in range(4)]
            for one in work:
                one.result()
            assert book.language("ann") == language


def test_a_choice_that_was_not_written_is_not_kept(engine: sa.Engine) -> None:
    book = ReaderBook(engine)
    book.remember("ann", "nl")
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE readers RENAME TO readers_away"))
    with pytest.raises(FabricError):
        book.remember("ann", "en")
    with pytest.raises(FabricError):
        book.language("ann")
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE readers_away RENAME TO readers"))
    assert book.language("ann") == "nl"


def test_what_is_kept_in_memory_is_bounded(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MOST_KEPT", 3)
    book = ReaderBook(engine)
    for number in range(10):
        book.language(f"user{number}")
        assert len(book._kept) <= 3
