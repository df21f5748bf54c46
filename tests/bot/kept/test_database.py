import logging
import sqlite3
from pathlib import Path

import pytest

from bot.errors import StorageError
from bot.following.subscriptions import Subscription, Subscriptions
from bot.kept.database import DATABASE, MIGRATIONS, Database

CARD = Subscription(platform="p", chat_id="c", job_id="ftjob-1", message_id="m1", person="mia", shown="Training")


def test_a_file_of_the_bot_before_is_brought_up_to_date_with_its_cards(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / DATABASE, isolation_level=None)
    for statement in MIGRATIONS[0]:
        old.execute(statement)
    old.execute("INSERT INTO cards VALUES ('p', 'c', 'ftjob-1', 'm1', 'mia', 'Training', 0)")
    old.execute("INSERT INTO feed VALUES (1, 17)")
    old.close()
    with Database(tmp_path / DATABASE) as database:
        subscriptions = Subscriptions(database)
        assert subscriptions.undelivered() == [CARD]
        assert subscriptions.cursor == 17
        assert subscriptions.begin_delivery(CARD) == 0
    with Database(tmp_path / DATABASE) as database:
        assert Subscriptions(database).begin_delivery(CARD) == 1


@pytest.mark.parametrize("damage", ["no database at all " * 100, "half"])
def test_a_damaged_file_is_moved_aside_and_begun_anew(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / DATABASE
    with Database(path) as database:
        subscriptions = Subscriptions(database)
        for number in range(200):
            subscriptions.put(Subscription(**{**vars(CARD), "job_id": f"ftjob-{number}"}))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if damage == "half" else damage.encode())
    with caplog.at_level(logging.WARNING), Database(path) as database:
        assert Subscriptions(database).undelivered() == []
        Subscriptions(database).put(CARD)
    assert (tmp_path / f"{DATABASE}.damaged-1").exists()
    assert "damaged-1" in caplog.text


def test_a_file_of_a_newer_bot_is_moved_aside_whole(tmp_path: Path) -> None:
    with Database(tmp_path / DATABASE) as database:
        database.write("PRAGMA user_version = 99")
    with Database(tmp_path / DATABASE) as database:
        assert Subscriptions(database).undelivered() == []
    kept = sqlite3.connect(tmp_path / f"{DATABASE}.damaged-1")
    assert kept.execute("PRAGMA user_version").fetchone() == (99,)
    kept.close()


def test_a_busy_file_is_not_taken_for_a_damaged_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise error

    monkeypatch.setattr(sqlite3, "connect", busy)
    with pytest.raises(StorageError, match="database is locked"):
        Database(tmp_path / DATABASE)


def test_a_full_disk_is_an_error_in_words(tmp_path: Path) -> None:
    with Database(tmp_path / DATABASE) as database:
        fill(database)
        with pytest.raises(StorageError, match="disk is full"):
            Subscriptions(database).put(Subscription(**{**vars(CARD), "shown": "x" * 20_000}))


def fill(database: Database) -> None:
    """Leave no room for another page."""
    pages = database.rows("PRAGMA page_count")[0][0]
    database.rows(f"PRAGMA max_page_count = {pages}")
