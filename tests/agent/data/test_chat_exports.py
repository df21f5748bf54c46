"""Chats exported from Discord, Telegram and WhatsApp become datasets. All people here are made up."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from agent.base_models.card import BaseModelCard
from agent.data.inspect import inspect_dataset
from agent.data.readers.chat_export import ChatExport, ExportedMessage, speaker_name
from agent.data.readers.formats import read_rows
from agent.data.readers.talks import Pseudonyms
from agent.data.readers.unclear import UnclearError
from agent.data.readers.whatsapp import looks_like_whatsapp, read_whatsapp
from agent.errors import AgentError
from shared.inspections import DatasetForm
from shared.mapping import Mapping

TALK = (  # minutes since noon, who, what
    (0, "Ada Berg", "Hey Mia, is the heater fixed?"),
    (1, "Ada Berg", "Tom said it is"),
    (3, "Mia Lund", "Yes, since this morning."),
    (4, "Mia Lund", "Ask Tom for the bill, will you?"),
    (5, "Tom", "I will send it to ada today"),
    (6, "Mia Lund", "Thanks!"),
    (900, "Mia Lund", "Good morning"),
    (901, "Ada Berg", "Is the @Tom van here?"),
    (905, "Mia Lund", "Not yet."),
    (906, "Ada Berg", "Fine"),
)
IDS = {"Ada Berg": 11, "Mia Lund": 22, "Tom": 33}
NOON = datetime.datetime(2024, 3, 12, 12, tzinfo=datetime.UTC)


def discord() -> dict[str, Any]:
    """Return what DiscordChatExporter writes."""
    people = {"Ada Berg": "11", "Mia Lund": "22", "Tom": "33"}
    messages: list[dict[str, Any]] = [
        {
            "id": str(number), "type": "Default", "timestamp": (NOON + datetime.timedelta(minutes=at)).isoformat(),
            "timestampEdited": None, "isPinned": False, "content": text,
            "author": {"id": people[who], "name": who.lower().replace(" ", "."), "nickname": who, "isBot": False},
            "attachments": [], "embeds": [], "reactions": [], "mentions": [],
        }
        for number, (at, who, text) in enumerate(TALK)
    ]  # fmt: skip
    joined = messages[0] | {"type": "GuildMemberJoin", "content": "Joined the server."}
    picture = messages[0] | {"content": "", "attachments": [{"fileName": "heater.png"}]}
    return {
        "guild": {"id": "1", "name": "Home"}, "channel": {"id": "2", "type": "GuildTextChat", "name": "house"},
        "dateRange": {"after": None, "before": None}, "messages": [joined, picture, *messages], "messageCount": 12,
    }  # fmt: skip


def telegram() -> dict[str, Any]:
    """Return what Telegram Desktop writes as result.json."""
    messages: list[dict[str, Any]] = [
        {
            "id": number, "type": "message", "date": f"{NOON + datetime.timedelta(minutes=at):%Y-%m-%dT%H:%M:%S}",
            "date_unixtime": str(int((NOON + datetime.timedelta(minutes=at)).timestamp())), "from": who,
            "from_id": f"user{IDS[who]}", "text": text, "text_entities": [{"type": "plain", "text": text}],
        }
        for number, (at, who, text) in enumerate(TALK)
    ]  # fmt: skip
    messages[7]["text"] = ["Is the ", {"type": "mention", "text": "@Tom"}, " van here?"]
    service = {"id": 90, "type": "service", "date": "2024-03-12T11:00:00", "actor": "Tom", "action": "create_group"}
    forwarded = messages[0] | {"forwarded_from": "News", "text": "Heaters are getting dear"}
    sticker = messages[0] | {"media_type": "sticker", "text": ""}
    return {"name": "House", "type": "private_group", "id": 5, "messages": [service, forwarded, sticker, *messages]}


def whatsapp(pattern: str) -> str:
    """Return what WhatsApp writes, with the time as `pattern` has it."""
    lines = []
    for at, who, text in TALK:
        stamp = (NOON + datetime.timedelta(minutes=at)).strftime(pattern)
        lines.append(f"{stamp}{who}: {text}")
    stamp = NOON.strftime(pattern)
    notice = f"{stamp}Messages and calls are end-to-end encrypted."
    return "\n".join([notice, *lines[:4], f"{stamp}Ada Berg: <Media omitted>", *lines[4:]]) + "\n"


def saved(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "export"
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1), encoding="utf-8")
    return path


def talks(path: Path, mapping: Mapping) -> list[list[tuple[str, str]]]:
    rows = [row.value or {} for row in read_rows(path, mapping=mapping)]
    return [[(turn["role"], turn["content"]) for turn in row["messages"]] for row in rows]


MIA = Mapping(assistant="Mia Lund")
AS_MIA = [
    [
        ("user", "Person 1: Hey Mia, is the heater fixed?\nPerson 1: Person 2 said it is"),
        ("assistant", "Yes, since this morning.\nAsk Person 2 for the bill, will you?"),
        ("user", "Person 2: I will send it to Person 1 today"),
        ("assistant", "Thanks!"),
    ],
    [("user", "Person 1: Is the Person 2 van here?"), ("assistant", "Not yet.")],
]
STAMPS = {
    "de android": "%d.%m.%y, %H:%M - ",
    "de ios": "[%d.%m.%y, %H:%M:%S] ",
    "us android": "%-m/%-d/%y, %-I:%M\u202f%p - ",
    "us ios": "[%-m/%-d/%y, %-I:%M:%S\u202f%p] ",
    "uk": "%d/%m/%Y, %H:%M - ",
    "iso": "%Y-%m-%d, %H:%M - ",
    "nl": "%d-%m-%Y %H:%M - ",
    "es": "%-d/%-m/%y, %-I:%M p.\u202fm. - ",
    "it ios": "[%d/%m/%y, %H:%M:%S] ",
    "fi": "%-d.%-m.%Y klo %H.%M - ",
    "zh": "%Y/%-m/%-d 下午%-I:%M - ",
    "ko": "%Y. %-m. %-d. 오후 %-I:%M - ",
    "ja": "%Y/%m/%d %H:%M - ",
}


@pytest.mark.parametrize("export", [discord(), telegram(), whatsapp(STAMPS["de ios"])], ids=["discord", "telegram", "whatsapp"])  # fmt: skip  # noqa: E501
def test_who_is_the_assistant_is_asked_and_then_the_talks_are_read(tmp_path: Path, export: object) -> None:
    path = saved(tmp_path, export)
    with pytest.raises(UnclearError, match="a chat of Mia Lund, Ada Berg, Tom") as caught:
        next(read_rows(path))
    question = caught.value.question
    assert (question.speakers[0].name, question.speakers[0].messages) == ("Mia Lund", 5)
    assert [choice.mapping for choice in question.choices] == [
        *(Mapping(assistant=name) for name in ("Mia Lund", "Ada Berg", "Tom")),
        *(Mapping(without=(name,)) for name in ("Mia Lund", "Ada Berg", "Tom")),
    ]
    assert talks(path, MIA) == AS_MIA


@pytest.mark.parametrize("locale", STAMPS)
def test_whatsapp_is_read_as_phones_of_many_countries_write_it(locale: str) -> None:
    text = whatsapp(STAMPS[locale])
    assert looks_like_whatsapp(text)
    said = read_whatsapp(text.splitlines()).said
    assert [(it.who, it.text) for it in said] == [(who, text) for _at, who, text in TALK]
    assert [round((it.at or 0) - (said[0].at or 0)) for it in said[:6]] == [60 * at for at, _who, _text in TALK[:6]]
    assert said[0].line == 2


def test_what_whatsapp_itself_says_is_no_message(tmp_path: Path) -> None:
    lines = [
        "[12.03.24, 12:00:00] Mia: \u200eBild weggelassen",
        "12.03.24, 12:01 - Ada: Diese Nachricht wurde gelöscht.",
        "12.03.24, 12:02 - Ada: IMG-20240312-WA0001.jpg (Datei angehängt)",
        "12.03.24, 12:03 - Ada: A list:",
        "1. milk",
        "2. bread \u200e<Diese Nachricht wurde bearbeitet.>",
        "12.03.24, 12:04 - Ada hat die Gruppe erstellt",
        "not of the message before",
        "12.03.24, 12:05 - +49 170 1234567: Time: now",
    ]
    said = read_whatsapp(lines).said
    assert [(it.line, it.who, it.text) for it in said] == [
        (4, "Ada", "A list:\n1. milk\n2. bread"),
        (9, "+49 170 1234567", "Time: now"),
    ]


def test_a_person_can_be_left_out_and_is_named_nowhere(tmp_path: Path) -> None:
    path = saved(tmp_path, discord())
    rows = talks(path, Mapping(assistant="mia_lund", without=("Tom",)))
    assert rows[0] == [
        ("user", "Hey Mia, is the heater fixed?\nPerson 2 said it is"),
        ("assistant", "Yes, since this morning.\nAsk Person 2 for the bill, will you?\nThanks!"),
    ]
    assert "Tom" not in str(rows)
    with pytest.raises(UnclearError) as caught:
        next(read_rows(path, mapping=Mapping(without=("Tom",))))
    assert [choice.mapping for choice in caught.value.question.choices] == [
        Mapping(assistant="Mia Lund", without=("Tom",)),
        Mapping(assistant="Ada Berg", without=("Tom",)),
    ]


def test_two_people_of_one_name_stay_two(tmp_path: Path) -> None:
    export = discord()
    export["messages"][-1]["author"] = {"id": "44", "name": "ada2", "nickname": "Ada Berg"}
    with pytest.raises(UnclearError) as caught:
        next(read_rows(saved(tmp_path, export)))
    assert {speaker.name for speaker in caught.value.question.speakers} == {
        "Mia Lund", "Ada Berg", "Tom", "Ada Berg (2)",
    }  # fmt: skip


def test_two_people_of_one_name_stay_two_in_telegram_too(tmp_path: Path) -> None:
    export = telegram()
    for message in export["messages"]:
        if message.get("from") == "Tom":
            message["from"] = "Ada Berg"
    export["messages"][-1] |= {"from": "Ada renamed"}
    with pytest.raises(UnclearError) as caught:
        next(read_rows(saved(tmp_path, export)))
    assert [(it.name, it.messages) for it in caught.value.question.speakers] == [
        ("Mia Lund", 5), ("Ada Berg", 4), ("Ada Berg (2)", 1),
    ]  # fmt: skip


def test_a_telegram_group_may_begin_with_many_who_join(tmp_path: Path) -> None:
    export = telegram()
    joins = [export["messages"][0] | {"id": 100 + n, "action": "invite_members"} for n in range(2000)]
    export["messages"] = joins + export["messages"]
    assert talks(saved(tmp_path, export), MIA) == AS_MIA


def test_a_deleted_account_of_telegram_is_one_person(tmp_path: Path) -> None:
    export = telegram()
    for message in export["messages"]:
        if message.get("from") == "Tom":
            message["from"] = None
    with pytest.raises(UnclearError) as caught:
        next(read_rows(saved(tmp_path, export)))
    assert [it.name for it in caught.value.question.speakers] == ["Mia Lund", "Ada Berg", "user33"]


@pytest.mark.parametrize(
    "notice",
    [
        'Bob hat die Gruppe "Test: eins" erstellt',
        "Bob created group “Test: one”",
        "Bob hat den Betreff von „Alt: 1“ zu „Neu: 2“ geändert",
        'Bob changed the subject to "New: two"',
        "Bob changed the group description: all of it",
        "Ada added Bob: welcome",
    ],
)
def test_what_whatsapp_says_with_a_colon_in_it_is_nobodys(tmp_path: Path, notice: str) -> None:
    lines = [f"3/13/24, 12:{n:02} - {who}: Toast {n}" for n, who in enumerate(("Ada", "Mia", "Ada", "Mia"))]
    text = "\n".join([lines[0], f"3/13/24, 12:00 - {notice}", *lines[1:], "3/13/24, 13:00 - Left Shark: Hi"])
    assert {it.who for it in read_whatsapp(text.splitlines()).said} == {"Ada", "Mia", "Left Shark"}


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        (Mapping(assistant="Eve"), "Nobody in this chat is called “Eve”. There are: Mia Lund, Ada Berg, Tom"),
        (Mapping(question="a", answer="b"), "a chat export: it has people, no columns"),
        (Mapping(without=("Ada Berg", "Tom")), "Mia Lund speaks alone"),
    ],
)
def test_what_cannot_be_read_so_is_said(tmp_path: Path, mapping: Mapping, words: str) -> None:
    with pytest.raises(AgentError, match=words):
        next(read_rows(saved(tmp_path, discord()), mapping=mapping))


def test_a_whole_telegram_archive_keeps_its_chats_apart(tmp_path: Path) -> None:
    chat = telegram()
    archive = {"about": "Here is the data you requested.", "personal_information": {"first_name": "Mia"},
               "chats": {"about": "", "list": [chat, chat | {"name": "Other"}]}}  # fmt: skip
    assert talks(saved(tmp_path, archive), MIA) == [*AS_MIA, *AS_MIA]


def test_a_long_talk_becomes_several_rows_that_end_with_an_answer(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    turns = (("Ada", "How is number"), ("Mia", "Quite well, thank you, and so is number"))
    lines = [f"12.03.24, 12:{n % 60:02} - {who}: {text} {n}" for n in range(120) for who, text in turns]
    path = saved(tmp_path, "\n".join(lines))
    findings = inspect_dataset(path, smollm2_card, mapping=Mapping(assistant="Mia"))
    assert (findings.form, findings.rows, findings.dropped_count) == (DatasetForm.messages, 20, 0)
    assert findings.sample.line == 1


def test_a_dataset_whose_rows_speak_of_channels_is_no_export(tmp_path: Path) -> None:
    row = {"prompt": "p", "completion": "c", "channel": {"id": 1}, "messages_seen": 3}
    assert [it.value for it in read_rows(saved(tmp_path, "\n".join([json.dumps(row)] * 2)))] == [row, row]


@pytest.mark.parametrize(
    ("raw", "name"),
    [("Mia", "Mia"), ("\u202a+49 170\u202c", "+49 170"), ("  \u200b ", "?"), (None, "?"), ("x" * 900, "x" * 200),
     ("A\ud800da\n Lund", "Ada Lund")],
)  # fmt: skip
def test_a_speakers_name_can_be_shown_typed_and_stored(raw: str | None, name: str) -> None:
    assert speaker_name(raw) == name
    assert Mapping(assistant=speaker_name(raw)).assistant == name


def test_names_are_found_whole_in_any_case_and_the_longest_first() -> None:
    names = ["Ann", "Ann Lee", "İlker", "Straß"]
    said = [ExportedMessage(line=n, at=None, who=who, text="Hi") for n, who in enumerate(["Me", *names])]
    named = Pseudonyms(ChatExport(said=said), "Me", ())
    text = "@ann lee and ANN, not Annabel or JoAnn; i̇lker, ilker, STRASS."
    assert named.mask(text) == "Person 2 and Person 1, not Annabel or JoAnn; Person 3, ilker, Person 4."
