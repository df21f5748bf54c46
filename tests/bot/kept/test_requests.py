"""What was delivered twice is taken in once."""

from pathlib import Path

from bot.core.call import Call
from bot.kept.database import DATABASE, Database
from bot.kept.requests import REMEMBERED_S, Requests
from tests.bot.harness import RecordingChat


def call(id: str | None, platform: str = "telegram") -> Call:
    return Call(
        platform=platform, person="7", chat_id="7", chat=RecordingChat(), command="finetune", id=id, name="Mia",
        server="9", roles=("1", "2"), locale="de",
    )  # fmt: skip


def test_the_same_id_is_kept_once_also_after_it_was_answered_and_in_the_next_bot(tmp_path: Path) -> None:
    with Database(tmp_path / DATABASE) as database:
        requests = Requests(database)
        kept = requests.keep(call("1"), asked_at=100.0)
        assert kept is not None
        assert requests.keep(call("1"), asked_at=100.0) is None
        requests.strike_out(kept.id)
        assert requests.keep(call("1"), asked_at=101.0) is None
        assert requests.keep(call("1", "discord"), asked_at=101.0) is not None
        assert requests.keep(call("2"), asked_at=101.0) is not None
        assert requests.keep(call(None), asked_at=101.0) is not None
        assert requests.keep(call(None), asked_at=101.0) is not None
    with Database(tmp_path / DATABASE) as database:
        assert Requests(database).keep(call("1"), asked_at=102.0) is None
        assert len(Requests(database).unanswered()) == 4


def test_ids_are_forgotten_after_a_week(tmp_path: Path) -> None:
    with Database(tmp_path / DATABASE) as database:
        requests = Requests(database)
        requests.keep(call("1"), asked_at=0.0)
        requests.keep(call("2"), asked_at=REMEMBERED_S + 1.0)
        assert database.rows("SELECT id FROM taken_in") == [("2",)]


def test_who_asked_is_kept_with_the_request(tmp_path: Path) -> None:
    with Database(tmp_path / DATABASE) as database:
        Requests(database).keep(call("1"), asked_at=0.0)
    with Database(tmp_path / DATABASE) as database:
        asker = Requests(database).unanswered()[0].asker
    assert (asker.name, asker.server, asker.roles, asker.private, asker.locale) == ("Mia", "9", ("1", "2"), False, "de")
