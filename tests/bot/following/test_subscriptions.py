"""What is written down of a delivery, so that a killed one is taken up where it was."""

from pathlib import Path

from bot.following.delivery import DELIVERIES
from bot.following.subscriptions import Subscription, Subscriptions
from bot.kept.database import DATABASE, Database

CARD = Subscription(
    platform="p", chat_id="c", job_id="ftjob-1", message_id="m1", person="mia", shown="toast · training"
)


def test_kills_between_the_messages_of_a_long_result_do_not_add_up(tmp_path: Path) -> None:
    with Database(tmp_path / DATABASE) as database:
        subscriptions = Subscriptions(database)
        subscriptions.put(CARD)
        for page in range(6):  # a bot tells one message each time, and is killed at the next
            assert subscriptions.begin_delivery(CARD) < DELIVERIES
            assert subscriptions.pages_told(CARD) == page
            subscriptions.page_told(CARD)


def test_kills_at_one_message_add_up(tmp_path: Path) -> None:
    with Database(tmp_path / DATABASE) as database:
        subscriptions = Subscriptions(database)
        subscriptions.put(CARD)
        begun = [subscriptions.begin_delivery(CARD) for _ in range(3)]
    assert begun == [0, 1, 2]
