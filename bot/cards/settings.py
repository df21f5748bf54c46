"""What a person and their chat can set: a card of taps that turns into the next one in place. Pure."""

from bot.core.blocks import Fields, Note
from bot.core.preferred import ChatPreferences, PersonPreferences
from bot.core.reply import Button, Reply
from bot.words.format import clip, clock_time, one_line
from bot.words.time_zone import in_zone
from bot.words.zone_names import zone_name
from shared.language import N_, _

LABEL = 20
LANGUAGE_NAMES = {"": N_("As the app says"), "en": "English", "de": "Deutsch"}  # each in its own words
COMMON_ZONES = (
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/London",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Tokyo",
)


def settings_card(
    person: PersonPreferences, chat: ChatPreferences, *, name: str, private: bool, sounds: bool, now: float
) -> Reply:
    """Return all that is set; `name`: whose it is, said among others. `sounds`: whether the chat makes any."""
    whose = _("Settings · {name}", name=clip(one_line(name))) if name and not private else _("Settings")
    files = _("is sent when a job ends") if chat.files else _("waits until you ask for it")
    sound = _("without sound") if chat.silent else _("with sound")
    among_others = _("Language and time zone are yours alone. The rest is for everybody here.")
    return Reply(
        title=whose,
        blocks=(
            Fields(
                fields=(
                    (_("Language"), _language(person.language)),
                    (_("Time zone"), _zone(person.zone, now=now)),
                    (_("The finished model"), files),
                    *(((_("Messages"), sound),) if sounds else ()),
                )
            ),
            *(() if private else (Note(text=among_others),)),
        ),
        buttons=(
            Button(label=_("Language"), line="/settings language"),
            Button(label=_("Time zone"), line="/settings zone"),
            Button(label=_("Do not send models"), line="/settings files no")
            if chat.files
            else Button(label=_("Send models"), line="/settings files yes"),
            *((_sound(chat.silent),) if sounds else ()),
        ),
    )


def language_card(person: PersonPreferences) -> Reply:
    """Return the languages to choose from."""
    return Reply(
        title=_("Language"),
        summary=_("At the moment: {language}", language=_language(person.language)),
        buttons=(
            *(
                Button(label=_language(code), line=f"/settings language {code or 'auto'}")
                for code in LANGUAGE_NAMES
                if code != person.language
            ),
            _back(),
        ),
    )


def zone_card(person: PersonPreferences, *, now: float) -> Reply:
    """Return some time zones, each with what its clocks show now, and how to name any other."""
    others = [name for name in COMMON_ZONES if name != person.zone]
    return Reply(
        title=_("Time zone"),
        summary=_("At the moment: {zone}", zone=_zone(person.zone, now=now)),
        blocks=(Note(text=_("For any other, write a city or an offset: /settings zone Vienna, /settings zone +2")),),
        buttons=(
            *((Button(label=_("This machine's"), line="/settings zone auto"),) if person.zone else ()),
            *(Button(label=_label(name, now=now), line=f"/settings zone {name}") for name in others),
            _back(),
        ),
    )


def _language(code: str) -> str:
    return _(LANGUAGE_NAMES[code]) if not code else LANGUAGE_NAMES[code]


def _zone(name: str, *, now: float) -> str:
    with in_zone(name):
        time = clock_time(now, zone=False)
    place = zone_name(name) if name else _("this machine's")
    return _("{zone}, {time} now", zone=place, time=time)


def _label(name: str, *, now: float) -> str:
    with in_zone(name):
        return f"{clip(zone_name(name), LABEL - 6)} {clock_time(now, zone=False)}"


def _sound(silent: bool) -> Button:
    if silent:
        return Button(label=_("With sound"), line="/settings quiet no")
    return Button(label=_("Without sound"), line="/settings quiet yes")


def _back() -> Button:
    return Button(label=_("Back"), line="/settings")
