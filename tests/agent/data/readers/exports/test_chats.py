"""Chats among people, whatever program exported them: who is the assistant is asked, and nobody else is named."""

from pathlib import Path
from typing import Any

import pytest

from agent.data.readers.formats import read_rows
from agent.errors import AgentError
from shared.mapping import Mapping
from tests.agent.data.readers.exports.files import said_by, saved, talks

MIA = Mapping(assistant="Mia Lund")
SAID = (  # minutes, who, what
    (0, "Jörg Berg", "Is the heater fixed, Mia?"),
    (1, "Mia Lund", "Since this morning 😀"),
    (3, "Jörg Berg", "And the van?"),
    (4, "Mia Lund", "Ask Tom, he knows it, Jörg."),
    (5, "Tom", "It is\nready."),
    (6, "Mia Lund", "Fine."),
)
AS_MIA = [
    [
        ("user", "Person 1: Is the heater fixed, Mia?"),
        ("assistant", "Since this morning 😀"),
        ("user", "Person 1: And the van?"),
        ("assistant", "Ask Person 2, he knows it, Person 1."),
        ("user", "Person 2: It is\nready."),
        ("assistant", "Fine."),
    ]
]
COUNTS = {"Mia Lund": 3, "Jörg Berg": 2, "Tom": 1}
START_MS = 1_720_000_000_000


def garbled(text: str) -> str:
    """Return a text as Meta's export writes it: each byte of its UTF-8 as a character."""
    return text.encode().decode("latin-1")


def messenger() -> dict[str, Any]:
    messages: list[dict[str, Any]] = [
        {"sender_name": garbled(who), "timestamp_ms": START_MS + 60_000 * at, "content": garbled(text), "reactions": [
            {"reaction": garbled("❤"), "actor": garbled("Jörg Berg")}]}
        for at, who, text in SAID
    ]  # fmt: skip
    messages.insert(2, {"sender_name": "Tom", "timestamp_ms": START_MS + 100_000, "photos": [{"uri": "a.jpg"}]})
    messages.insert(2, messages[2] | {"content": "Tom sent an attachment.", "share": {"link": "https://a.example"}})
    messages.insert(2, messages[2] | {"content": garbled("Reacted 😀 to your message ")})
    names = [{"name": garbled(name)} for name in COUNTS]
    return {"participants": names, "messages": messages[::-1], "title": "House", "thread_path": "inbox/house_1"}


def encrypted_messenger() -> dict[str, Any]:
    messages = [
        {"isUnsent": False, "media": [], "reactions": [], "senderName": who, "text": text, "type": "text",
         "timestamp": START_MS + 60_000 * at}
        for at, who, text in SAID
    ]  # fmt: skip
    return {"participants": list(COUNTS), "threadName": "House_1", "messages": messages[::-1]}


def slack() -> list[dict[str, Any]]:
    ids = {"Mia Lund": "U01", "Jörg Berg": "U02", "Tom": "U03"}
    rows: list[dict[str, Any]] = [
        {"type": "message", "user": ids[who], "ts": f"{1_700_000_000 + 60 * at}.000100", "team": "T1",
         "text": text.replace("Tom", "<@U03>").replace("Jörg.", "<@U02>."),
         "user_profile": {"real_name": who, "display_name": "", "name": who.lower()}}
        for at, who, text in SAID
    ]  # fmt: skip
    joined = {"type": "message", "subtype": "channel_join", "user": "U03", "ts": "1700000000.000000",
              "text": "<@U03> has joined the channel"}  # fmt: skip
    return [joined, *rows]


def discord_text() -> str:
    ruler = "=" * 62
    lines = [ruler, "Guild: Home", "Channel: house / general", "Topic: [1] all", ruler, ""]
    for at, who, text in SAID:
        lines += [f"[03/13/2026 10:{at:02} AM] {who}{' (pinned)' if at == 3 else ''}", text, ""]
        lines += ["{Attachments}", "https://cdn.example/heater.png", ""] if at == 1 else []
        lines += ["{Reactions}", "👍 (2)", ""] if at == 4 else []
    return "\n".join([*lines, ruler, "Exported 6 message(s)", ruler, ""])


def discord_csv() -> str:
    rows = ["AuthorID,Author,Date,Content,Attachments,Reactions"]
    ids = {"Mia Lund": 1, "Jörg Berg": 2, "Tom": 3}
    for at, who, text in SAID:
        rows.append(f'"{ids[who]}","{who}","2026-03-01T10:{at:02}:00.0000000+00:00","{text}","",""')
    return "\ufeff" + "\n".join([*rows, *rows[1:0]]) + "\n"


def discord_html() -> str:
    groups, last = [], ""
    for at, who, text in SAID:
        reply = (
            '<div class="chatlog__reply"><div class="chatlog__reply-author" title="Tom">Tom</div>'
            '<div class="chatlog__reply-content">quoted words</div></div>'
        )
        header = (
            f'<div class=chatlog__header><span class=chatlog__author title="{who}" data-user-id=1>{who[:3]}</span>'
            f'<span class=chatlog__timestamp title="Sunday, March 1, 2026 10:{at:02} AM">10:{at:02}</span></div>'
        )
        words = text.replace("\n", "<br>").replace("😀", '<img class="chatlog__emoji" alt="😀" src="x.svg">')
        words = words.replace("Tom", '<span class="chatlog__markdown-mention" title="Tom">Tom</span>')
        groups.append(
            f"<div class=chatlog__message-group><div class=chatlog__message-container><div class=chatlog__message>"
            f'{reply if at == 4 else ""}{"" if who == last else header}<div class="chatlog__content chatlog__markdown">'
            f"<span class=chatlog__markdown-preserve>{words}</span>"
            f'<span class=chatlog__edited-timestamp title="later">(edited)</span></div>'
            f"<div class=chatlog__embed><div class=chatlog__embed-title>A page</div></div></div></div></div>"
        )
        last = who
    return (
        f"<!DOCTYPE html><html lang=en><head><title>Home - house</title><style>.chatlog{{a:b}}</style></head><body>"
        f"<div class=preamble>Home</div><div class=chatlog>{''.join(groups)}</div>"
        f"<div class=postamble>Exported 6 messages</div></body></html>"
    )


def old_discord_html() -> str:
    """Return what older versions wrote, where a name stands above all that one person says."""
    groups = [
        f'<div class="chatlog__message-group"><div class="chatlog__messages"><span class="chatlog__author-name" '
        f'title="{who}" data-user-id="1">{who}</span><span class="chatlog__timestamp">01-Mar-26 10:{at:02} AM</span>'
        f'<div class="chatlog__message" data-message-id="{at}"><div class="chatlog__content"><div class="markdown">'
        f'<span class="preserve-whitespace">{text}</span></div></div></div></div></div>'
        for at, who, text in SAID
    ]
    return f'<!DOCTYPE html>\n<html lang="en"><body><div class="chatlog">{"".join(groups)}</div></body></html>'


def telegram_html() -> str:
    blocks = ['<div class="message service" id="message-1"><div class="body details">1 March 2026</div></div>']
    last = ""
    for at, who, text in SAID:
        via = " via @gif" if at == 6 else ""
        name = "" if who == last else f'<div class="from_name">\n{who}{via}\n </div>'
        reply = '<div class="reply_to details">In reply to <a href="#go">this</a></div>' if at == 4 else ""
        blocks.append(
            f'<div class="message default clearfix{"" if name else " joined"}" id="message{at}"><div class="pull_left '
            f'userpic_wrap"><div class="userpic"><div class="initials">M</div></div></div><div class="body">'
            f'<div class="pull_right date details" title="01.03.2026 10:{at:02}:00 UTC+01:00">now</div>{name}{reply}'
            f'<div class="text">\n{text.replace(chr(10), "<br>")}\n</div></div></div>'
        )
        last = who
    blocks.insert(4, '<div class="message default clearfix"><div class="body"><div class="from_name">Tom</div>'
                  '<div class="forwarded body"><div class="from_name">News</div><div class="text">Dear heaters</div>'
                  '</div></div></div>')  # fmt: skip
    return (
        '<!DOCTYPE html>\n<html>\n <head>\n  <meta charset="utf-8"/><title>Exported Data</title></head>'
        f'<body onload="CheckLocation();"><div class="page_wrap"><div class="page_body chat_page"><div class="history">'
        f"{''.join(blocks)}</div></div></div></body></html>"
    )


def imessage() -> str:
    blocks = []
    for at, who, text in SAID:
        read = " (Read by them after 5 seconds)" if at == 1 else ""
        blocks.append(f"Mar 01, 2026 10:{at:02}:00 AM{read}\n{who}\n{text}\n")
    blocks[1] += "Tapbacks:\n    Loved by Tom\n"
    blocks[0] += "This message was deleted from the conversation!\n"
    blocks[2] += "This message responded to an earlier message.\n    Mar 01, 2026 10:04:00 AM\n    Tom\n    Indented.\n"
    blocks.insert(3, "Mar 01, 2026 10:03:30 AM You named the conversation House\n")
    blocks.insert(3, "Mar 01, 2026 10:03:20 AM\nTom\n/Users/tom/Library/Messages/Attachments/0a/IMG_1.heic\n")
    return "\n".join(blocks)


def irc() -> str:
    """Return what an IRC client logs; a message has one line there."""
    lines = [f"[10:{at:02}] <@{who.replace(' ', '_')}> {text}" for at, who, text in SAID]
    return "\n".join(["--- Log opened Sun Mar 01 10:00:00 2026", *lines, "[10:09] * Tom waves", ""])


def clock(pattern: str) -> str:
    return "".join(pattern.format(at=f"{at:02}", who=who, text=text) + "\n" for at, who, text in SAID)


EXPORTS = {
    "line": clock("10:{at}\t{who}\t{text}"), "script": clock("[2026-03-01 10:{at}:00] {who}: {text}"),
    "viewer": clock("03/13/2026, 10:{at} AM - {who}: {text}"),
    "messenger": messenger(), "encrypted messenger": encrypted_messenger(), "slack": slack(),
    "discord text": discord_text(), "discord csv": discord_csv(), "discord html": discord_html(),
    "old discord html": old_discord_html(), "telegram html": telegram_html(), "imessage": imessage(),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPORTS)
def test_who_is_the_assistant_is_asked_and_all_others_get_numbers(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path, EXPORTS[name])
    assert said_by(path, "Mia Lund") == COUNTS
    assert talks(path, MIA) == AS_MIA


def test_a_log_of_irc_is_a_chat(tmp_path: Path) -> None:
    path = saved(tmp_path, irc())
    assert said_by(path, "Mia_Lund") == {"Mia_Lund": 3, "Jörg_Berg": 2, "Tom": 1}


@pytest.mark.parametrize("line", [
    "2026-03-01 10:0{n}:00 {level}: The toast is ready {n}.", "10:0{n} Chapter {n}: The toast is ready.",
    "{n}\n00:0{n}:01,000 --> 00:0{n}:03,000\nIt is ready.\n", "{n}. The toast: it is ready at 10:0{n}.",
])  # fmt: skip
def test_a_log_or_a_text_with_times_is_no_chat(tmp_path: Path, line: str) -> None:
    levels = ("INFO", "ERROR")
    text = "".join(line.format(n=n, level=levels[n % 2]) + "\n" for n in range(9))
    assert [row.value for row in read_rows(saved(tmp_path, text))] == [{"text": text.strip()}]


def test_an_object_with_messages_of_people_is_a_chat(tmp_path: Path) -> None:
    messages = [{"id": at, "from": who, "body": text, "date": 1_700_000_000 + at} for at, who, text in SAID]
    path = saved(tmp_path, {"name": "House", "messages": messages})
    assert said_by(path, "Mia Lund") == COUNTS
    assert talks(path, MIA) == AS_MIA


def test_messages_without_a_name_are_of_whoever_made_the_export(tmp_path: Path) -> None:
    rows = ["Chat Session,Message Date,Type,Sender ID,Sender Name,Text"]
    rows += [
        f"Tom,2026-03-01 10:0{n}:00,{'Outgoing,,' if n % 2 else 'Incoming,+15550100,Tom'},Is it {n}?" for n in range(6)
    ]
    path = saved(tmp_path, "\n".join(rows) + "\n")
    assert said_by(path, "Me") == {"Me": 3, "Tom": 3}


def test_a_phone_number_is_a_name_like_any_other(tmp_path: Path) -> None:
    path = saved(tmp_path, imessage().replace("Tom", "+15550100"))
    talk = talks(path, MIA)[0]
    assert "Person 2: It is\nready." in [text for _role, text in talk]
    assert not any("15550100" in text for _role, text in talk)


def test_a_chat_of_telegram_may_have_names_alone(tmp_path: Path) -> None:
    messages = [{"id": at, "type": "message", "date": f"2026-03-01T10:{at:02}:00", "from": who, "text": [text]}
                for at, who, text in SAID]  # fmt: skip
    assert talks(saved(tmp_path, {"name": "House", "messages": messages}), MIA) == AS_MIA


def test_a_thread_of_slack_stays_together(tmp_path: Path) -> None:
    rows = [
        {
            "type": "message",
            "user": "U1",
            "ts": "1700000000.000100",
            "text": "Bread?",
            "thread_ts": "1700000000.000100",
        },
        {"type": "message", "user": "U1", "ts": "1700000010.000100", "text": "Tea &amp; <https://a.example|milk>?"},
        {
            "type": "message",
            "user": "U2",
            "ts": "1700000020.000100",
            "text": "Baked.",
            "thread_ts": "1700000000.000100",
        },
        {"type": "message", "user": "U2", "ts": "1700000030.000100", "text": "Brewed, <!here>."},
    ]
    assert talks(saved(tmp_path, rows), Mapping(assistant="U2")) == [
        [("user", "Bread?"), ("assistant", "Baked.")],
        [("user", "Tea & milk?"), ("assistant", "Brewed, @here.")],
    ]


@pytest.mark.parametrize(("first", "second"), [("12.03.2026", "14.04.2026"), ("03/12/2026", "04/14/2026"),
                                               ("12-Mar-26", "14-Apr-26")])  # fmt: skip
def test_day_and_month_are_told_apart_by_all_dates_of_a_file(tmp_path: Path, first: str, second: str) -> None:
    ruler = "=" * 62
    said = (f"[{first} 10:00] Ana\nBread?\n\n[{first} 10:01] Ben\nBaked.\n\n"
            f"[{second} 10:00] Ana\nTea?\n\n[{second} 10:01] Ben\nBrewed.\n")  # fmt: skip
    path = saved(tmp_path, f"{ruler}\nGuild: A\nChannel: b\n{ruler}\n\n{said}\n")
    assert len(talks(path, Mapping(assistant="Ben"))) == 2


@pytest.mark.parametrize("page", [
    "<!DOCTYPE html><html><body><div class='_a6-g'>Ana<div>Bread?</div></div></body></html>",
    "\n<HTML><head></head><body>Hello</body></HTML>",
    "<?xml version='1.0'?>\n<!-- made --><html><body>Hi</body></html>",
])  # fmt: skip
def test_a_page_that_is_not_known_is_refused_with_what_to_export_instead(tmp_path: Path, page: str) -> None:
    with pytest.raises(AgentError, match=r"HTML page.* as JSON instead"):
        list(read_rows(saved(tmp_path, page)))


def test_xml_that_is_not_known_is_refused(tmp_path: Path) -> None:
    text = '<?xml version="1.0"?><smses><sms address="+15550100" body="Hi" contact_name="Ana"/></smses>'
    with pytest.raises(AgentError, match="XML, of which only"):
        list(read_rows(saved(tmp_path, text)))
