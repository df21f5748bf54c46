"""/settings: in which language and time zone a person is answered, what a chat is sent by itself, and how loud."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from bot.cards.settings import language_card, settings_card, zone_card
from bot.core.call import Call
from bot.core.chat import Answer
from bot.dispatch.command import Command, Core
from bot.errors import BadCallError
from bot.words.format import clip, one_line
from bot.words.zone_names import read_zone
from shared.language import N_, _
from shared.people import Action

T = TypeVar("T")

NAMES = {  # of what can be set, as people type them
    "language": "language", "sprache": "language",
    "zone": "zone", "timezone": "zone", "zeitzone": "zone",
    "files": "files", "models": "files", "dateien": "files", "modelle": "files",
    "quiet": "quiet", "silent": "quiet", "leise": "quiet", "stumm": "quiet",
}  # fmt: skip
LANGUAGES = {
    "auto": "", "app": "", "automatisch": "",
    "en": "en", "english": "en", "englisch": "en",
    "de": "de", "german": "de", "deutsch": "de",
}  # fmt: skip
ANSWERS = {"yes": True, "on": True, "ja": True, "an": True, "no": False, "off": False, "nein": False, "aus": False}
_SAID = re.compile(r"(\w+)(?:\s*[:=\s]\s*(.+))?")


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Show what is set, or first set what was said or tapped."""
    what, value = _read(" ".join(call.arguments))
    if value:
        await _set(call, core, what, value)
    answer.take_over(call.message_id)
    with core.preferences.addressing(call.platform, call.person, call.locale):
        person, now = core.preferences.person(call.platform, call.person), core.clock.now()
        if what == "language" and not value:
            await answer.show(language_card(person))
        elif what == "zone" and not value:
            await answer.show(zone_card(person, now=now))
        else:
            chat = core.preferences.chat(call.platform, call.chat_id)
            sounds = call.chat.capabilities.sounds
            await answer.show(settings_card(person, chat, name=call.name, private=call.private, sounds=sounds, now=now))


def _read(said: str) -> tuple[str, str]:
    """Return what is to be set and to what, each empty if it was not said; raise BadCallError."""
    if not said:
        return "", ""
    found = _SAID.fullmatch(re.sub(r"^time zone\b", "zone", said.strip(), flags=re.IGNORECASE))
    what = NAMES.get(found[1].lower(), "") if found is not None else ""
    if found is None or not what:
        raise BadCallError(
            _(
                "I cannot set {what}. /settings shows what there is; write it like: /settings zone Berlin",
                what=clip(one_line(said), 20),
            )
        )
    return what, (found[2] or "").strip()


async def _set(call: Call, core: Core, what: str, value: str) -> None:
    """Set one thing, and have it count at once. Raise BadCallError, and StorageError if it cannot be kept."""
    if what in ("language", "zone"):
        person = core.preferences.person(call.platform, call.person)
        if what == "language":
            person = replace(person, language=_one_of(LANGUAGES, value, ("auto", "en", "de")))
        else:
            person = replace(person, zone=read_zone(value))
        core.preferences.set_person(call.platform, call.person, person)
        core.follow.look_again(call.platform, call.person)
        return
    if what == "quiet" and not call.chat.capabilities.sounds:
        raise BadCallError(_("This chat makes no sound anyway."))
    yes = _one_of(ANSWERS, value, ("yes", "no"))
    if not call.private and Action.start_job not in (await core.agent.me()).may:
        raise BadCallError(_("In a group only who may use this machine sets that. /who shows who may."))
    chat = core.preferences.chat(call.platform, call.chat_id)
    chat = replace(chat, files=yes) if what == "files" else replace(chat, silent=yes)
    core.preferences.set_chat(call.platform, call.chat_id, chat)


def _one_of(known: Mapping[str, T], value: str, shown: tuple[str, ...]) -> T:
    if value.lower() not in known:
        raise BadCallError(
            _("It cannot be {value}. Write one of: {known}", value=clip(one_line(value), 20), known=", ".join(shown))
        )
    return known[value.lower()]


COMMAND = Command(
    name="settings",
    usage="[zone:CITY]",
    summary=N_("language, time zone, sound"),
    run=run,
)
