"""A chat that goes on under another id, in what the bot keeps."""

from pathlib import Path

import pytest

from bot.core.call import Call
from bot.core.preferred import ChatPreferences
from bot.errors import StorageError
from bot.following.subscriptions import Subscription, Subscriptions
from bot.kept.approvals import Approvals, Wish
from bot.kept.chat_moves import Move, Moves
from bot.kept.database import DATABASE, Database
from bot.kept.preferences import Preferences
from bot.kept.requests import Requests
from shared.people import RequestedBy
from tests.bot.harness import RecordingChat
from tests.bot.kept.test_database import fill

MOVE = Move(platform="p", chat_id="old", to_id="new")
CARD = Subscription(platform="p", chat_id="old", job_id="ftjob-1", message_id="m1", person="mia", shown="Training")


def call(**more: str) -> Call:
    known = {"chat_id": "old", "rights_chat_id": "old", "server": "old", "message_id": "m7", **more}
    return Call(platform="p", person="mia", chat=RecordingChat(), command="pause", **known)  # type: ignore[arg-type]


def test_what_is_kept_of_a_chat_is_kept_of_the_one_that_it_has_become(tmp_path: Path) -> None:
    elsewhere = Subscription(**{**vars(CARD), "platform": "q"})
    with Database(tmp_path / DATABASE) as database:
        cards, requests, moves = Subscriptions(database), Requests(database), Moves(database)
        for card in (CARD, elsewhere):
            cards.put(card)
        kept = requests.keep(call(), asked_at=1.0)
        requests.keep(call(chat_id="room", rights_chat_id="room", server=""), asked_at=1.0)
        assert kept is not None
        requests.answered_in(kept.id, "m9")
        wish = Wish(model="m", platform="p", chat_id="old", person="mia", line="/x")
        number, is_new = requests.approvals.ask(wish, now=1.0)
        assert is_new
        preferences = Preferences(database)
        preferences.set_chat("p", "old", ChatPreferences(silent=True))
        assert moves.note(MOVE)
        assert (preferences.chat("p", "new").silent, preferences.chat("p", "old").silent) == (True, False)
        assert cards.undelivered() == [
            Subscription(**{**vars(CARD), "chat_id": "new", "message_id": "", "shown": ""}),
            elsewhere,
        ]
        there, other = requests.unanswered()
        assert (there.chat_id, there.pressed_id, there.answer_id) == ("new", None, None)
        assert (there.asker.rights_chat_id, there.asker.server) == ("new", "new")
        assert (other.chat_id, other.pressed_id) == ("room", "m7")
        found = Approvals(database).find(number)
        assert found is not None
        assert found.chat_id == "new"


def test_a_move_that_the_disk_refuses_is_written_once_it_does_not(tmp_path: Path) -> None:
    with Database(tmp_path / DATABASE) as database:
        cards, moves = Subscriptions(database), Moves(database)
        cards.put(CARD)

        with pytest.MonkeyPatch.context() as full:
            full.setattr(database, "write", refuse)
            assert moves.note(MOVE)
            assert moves.untold() == [MOVE]
        assert [card.chat_id for card in cards.undelivered()] == ["old"]
        assert moves.untold() == [MOVE]
        assert [card.chat_id for card in cards.undelivered()] == ["new"]


def refuse(*_arguments: object) -> None:
    raise StorageError("the disk is full")


def test_a_move_is_news_once_and_kept_until_the_agent_was_told(tmp_path: Path) -> None:
    with Database(tmp_path / DATABASE) as database:
        assert Moves(database).note(MOVE)
    with Database(tmp_path / DATABASE) as database:
        moves = Moves(database)
        assert not moves.note(MOVE)
        assert moves.untold() == [MOVE]
        moves.told(MOVE)
        assert moves.untold() == []
    with Database(tmp_path / DATABASE) as database:
        moves = Moves(database)
        assert moves.untold() == []
        assert moves.now("p", "old") == "new"
        who = RequestedBy(platform="p", person="mia", chat="old", server="old")
        assert moves.person(who) == who.model_copy(update={"chat": "new", "server": "new"})
        assert moves.person(who.model_copy(update={"platform": "q"})).chat == "old"


def test_a_card_that_the_new_chat_has_already_is_the_one_that_stays(tmp_path: Path) -> None:
    there = Subscription(**{**vars(CARD), "chat_id": "new", "message_id": "m2"})
    with Database(tmp_path / DATABASE) as database:
        cards = Subscriptions(database)
        for card in (CARD, there):
            cards.put(card)
        Moves(database).note(MOVE)
        assert cards.undelivered() == [there]


def test_all_of_it_moves_or_nothing_and_what_comes_later_means_the_new_chat(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Database(tmp_path / DATABASE) as database:
        cards, moves = Subscriptions(database), Moves(database)
        cards.put(CARD)
        fill(database)
        long = Move(platform="p", chat_id="old", to_id="n" * 20_000)
        assert moves.note(long)
        assert "not noted" in caplog.text
        assert cards.undelivered() == [CARD]
        assert moves.now("p", "old") == long.to_id
        assert moves.untold() == [long]


def test_a_request_that_cannot_be_read_stands_in_no_ones_way(tmp_path: Path) -> None:
    with Database(tmp_path / DATABASE) as database:
        requests = Requests(database)
        for _ in range(2):
            requests.keep(call(), asked_at=1.0)
        database.write("UPDATE requests SET asker = '{' WHERE id = 1")
        Moves(database).note(MOVE)
        assert [request.chat_id for request in requests.unanswered()] == ["new"]
