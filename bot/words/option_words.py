"""Options as people write them, each made one word that is read: `epochs 3`, `--lr = 2e–4` and `3 Epochen`. Pure."""

import difflib
import re
from collections.abc import Sequence

from bot.words.arguments import quoted, split_words, unquoted
from bot.words.mapping import READING
from bot.words.option_names import OWN_NAMES, PRESETS, SHORT_NAMES, TYPED_NAMES
from bot.words.start_time import is_time
from shared.hyperparameters import PreferenceHyperparameters

TIME_WORDS = 3  # that belong to a time, behind its first: tomorrow at 7:30 pm
DAYS = ("tonight", "tomorrow", "heute", "morgen")  # begin a time also where no `at` stands before it
OTHER_NAMES = {  # written without what parts words: batch-size and Batch Size are batchsize
    "epoch": "n_epochs", "epoche": "n_epochs", "epochen": "n_epochs", "lernrate": "learning_rate", "rang": "r",
    "lorarank": "r", "maxseqlength": "max_length", "maxlen": "max_length", "modell": "model", "basemodel": "model",
    "basismodell": "model", "start": "at", "um": "at", "ab": "at", "frage": "question", "antwort": "answer",
    "assistent": "assistant", "ohne": "without", "charakter": "character", "persona": "character", "callit": "name",
    "nameit": "name", "nennes": "name", "nenneihn": "name",
}  # fmt: skip
BESIDE = re.compile(  # words that say nothing more about an option, in English and German
    r"a|an|and|begin|but|could|do|for|go|i|it|just|let|let'?s|make|of|okay|ok|one|only|please|pls|plz|preset|rather|run|"
    r"set|start|take|the|then|to|try|use|want|with|yes|you|aber|auf|bitte|das|dann|den|der|die|doch|eine?|es|ich|ja|lieber|mach|mal|mit|nimm|nur|setze?|"
    r"stattdessen|und|versuch|will"
)
_CHARACTER = re.compile(r"(?:character|charakter|persona|system(?: prompt)?)\s*[:=]\s*(.+)", re.IGNORECASE | re.DOTALL)
ANSWERS = {"ja": "yes", "nein": "no", "an": "on", "aus": "off"}
# Not 7:30, an address, or C:\ of Windows.
_PARTED = re.compile(r"[-–—]{0,2}(?=\w*[^\W\d])([^\W_][\w-]*)\s*[:=]\s*(?![\\/])(.*)", re.DOTALL)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_FIGURE = re.compile(r"[-+]?[\d.,]+(?:e[-+]?\d+)?%?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+")
_ON_THE_HUB = re.compile(r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/(?!datasets/)([\w.-]+/[\w.-]+)(?:/.*)?")


def _squeezed(name: str) -> str:
    return re.sub(r"[-–—_\s]", "", name.lower())


NAMES = OTHER_NAMES | {
    _squeezed(name): SHORT_NAMES.get(name, name)
    for name in (*PreferenceHyperparameters.model_fields, *SHORT_NAMES, *OWN_NAMES, *READING)
}
OF_BUTTONS = ("file", "of", "like", "plan", "look", "change", "forget", "part", "character_of")  # said by them alone
SPOKEN = {typed: name for typed, name in NAMES.items() if name not in (*OF_BUTTONS, *READING)}  # also without a sign


def option_words(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words with each option as `name:value`, by its name in PreferenceHyperparameters or its own.

    What is no option stays as it is, an option that nobody knows too.
    """
    read: list[str] = []
    left = _without_lone_signs(words)
    while left:
        option = _parted(left) or _spoken(left) or _behind_its_value(left) or _alone(left)
        read.append(option or left.pop(0))
    return tuple(read)


def said_options(said: str) -> tuple[str, ...] | None:
    """Return the options that somebody wrote instead of a sentence, `epochs 5 please`; None where it is a sentence."""
    options, is_all = options_in(said)
    return options if options and is_all else None


def options_in(said: str) -> tuple[tuple[str, ...], bool]:
    """Return the options that stand in a sentence, and whether it says nothing else."""
    if (character := _CHARACTER.fullmatch(said.strip())) is not None:
        return (quoted("character", unquoted(character[1])),), True
    words = option_words(split_words(said))
    rest = [word.lower().strip(".,!?") for word in words if not is_option(word)]
    return tuple(word for word in words if is_option(word)), all(BESIDE.fullmatch(word) for word in rest if word)


def is_option(word: str) -> bool:
    """Say whether a word of `option_words` is an option that a person may say."""
    option = parted(word)
    return option is not None and _squeezed(option[0]) in NAMES and option[0] not in OF_BUTTONS


def parted(word: str) -> tuple[str, str] | None:
    """Return name and value of an option, None for another word."""
    found = _PARTED.fullmatch(word)
    return (found[1], found[2]) if found is not None else None


def nearest(typed: str) -> str | None:
    """Return the name, as it is typed, that is most like one that nobody knows; None: no name is."""
    near = difflib.get_close_matches(_squeezed(typed), SPOKEN | dict.fromkeys(READING), n=1, cutoff=0.75)
    name = NAMES[near[0]] if near else None
    return TYPED_NAMES.get(name, name) if name is not None else None


def _without_lone_signs(words: Sequence[str]) -> list[str]:
    """Return the words with `lr = 1e-4` as lr=1e-4, and without commas between options."""
    joined: list[str] = []
    for word in words:
        if joined and (word in (":", "=") or re.fullmatch(r"[-\w]+[:=]", joined[-1])):
            joined[-1] += word
        else:
            joined.append(word)
    commas = [word.rstrip(",;") if parted(word) or re.fullmatch(r"[\w.]*[,;]", word) else word for word in joined]
    return [word for word in commas if word]


def _parted(left: list[str]) -> str | None:
    """Take `lr:1e-4`."""
    option = parted(left[0])
    if option is None:
        return None
    left.pop(0)
    name, value = option
    known = NAMES.get(_squeezed(name))
    if known == "at":
        value = _whole_time(value, left)
    return f"{known or name.lower()}:{_written(known, value)}"


def _spoken(left: list[str]) -> str | None:
    """Take `epochs 3` and `learning rate 1e-4`, and `in 2 hours`."""
    if left[0].lower() == "in" and (time := _whole_time("in", left[1:])) != "in":
        del left[: len(time.split())]
        return f"at:{time}"
    for length in (2, 1):
        name = SPOKEN.get(_squeezed("".join(left[:length]))) if len(left) > length else None
        if name is None or parted(left[length]) is not None:
            continue
        if name == "at" and not is_time(_whole_time(left[length], left[length + 1 :])):
            continue
        value = left[length]
        del left[: length + 1]
        value = _whole_time(value, left) if name == "at" else value
        return f"{name}:{_written(name, value)}"
    return None


def _behind_its_value(left: list[str]) -> str | None:
    """Take `3 epochs`, unless what follows is that name's own value: the number of a job, and `epochs 5`."""
    if len(left) < 2 or not _NUMBER.fullmatch(left[0]):
        return None
    name = SPOKEN.get(_squeezed(left[1]))
    if name is None or name in {"at", "model", "name", "preset"} or (len(left) > 2 and _FIGURE.fullmatch(left[2])):
        return None
    value = left[0]
    del left[:2]
    return f"{name}:{_written(name, value)}"


def _alone(left: list[str]) -> str | None:
    """Take what says by itself which option it is: a preset, a day, or a link to a model."""
    word = left[0].lower()
    if word in PRESETS:
        return f"preset:{left.pop(0).lower()}"
    if word in DAYS:
        return f"at:{_whole_time(left.pop(0), left)}"
    return f"model:{_written('model', left.pop(0))}" if _ON_THE_HUB.fullmatch(left[0]) else None


def _whole_time(first: str, following: list[str]) -> str:
    """Return a time with those of the following words that belong to it, which are taken from there."""
    for many in range(min(TIME_WORDS, len(following)), 0, -1):
        whole = " ".join([first, *following[:many]])
        if is_time(whole):
            del following[:many]
            return whole
    return first


def _written(name: str | None, value: str) -> str:
    """Return a value as it is read: 0,0001 and 2e–4 as figures, a link to a model as its id."""
    if name == "model" and (link := _ON_THE_HUB.fullmatch(value)):
        return link[1]
    if name == "name":
        return value.lower()
    if name not in PreferenceHyperparameters.model_fields or name == "layers_to_transform":  # 1,2 are two of them
        return value
    figure = re.sub("[–—−]", "-", value)
    if not _FIGURE.fullmatch(figure):
        return ANSWERS.get(value.lower(), value)
    figure = figure.replace(",", "") if _THOUSANDS.fullmatch(figure) else figure.replace(",", ".")
    return f"{float(figure[:-1]) / 100:g}" if figure.endswith("%") else figure
