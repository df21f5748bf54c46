"""Slash commands, made from the table of commands. A command's shape comes from what its usage says it takes."""

import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from discord import AppCommandType, Attachment, Interaction, Member, Message, Role, User
from discord import app_commands as slash

from bot.cards.plan import PRESET_NAMES
from bot.discord_ui.files import Sent
from bot.discord_ui.inbound import DiscordRequest, named
from bot.discord_ui.limits import DESCRIPTION_LENGTH
from bot.discord_ui.suggestions import Suggestions
from bot.dispatch.command import Command
from bot.words.arguments import split_words
from bot.words.format import clip, one_line, short
from bot.words.option_names import PRESETS
from shared.language import N_

Answer = Callable[[Interaction, DiscordRequest], Awaitable[None]]
SlashCommand = slash.Command[Any, ..., None]

FINETUNE = "finetune"
MENUS = {
    FINETUNE: N_("Fine-tune on this file"),
    "dataset": N_("Look at this file"),
}  # by command: of a message with a file
_JOB = re.compile(r"\[?#n\]?")
_WHO = "[who]"
_WORDS = "[words]"
CONTEXTS = slash.AppCommandContext(guild=True, dm_channel=True, private_channel=False)
INSTALLS = slash.AppInstallationType(guild=True, user=False)


def register(
    tree: slash.CommandTree[Any], commands: tuple[Command, ...], answer: Answer, suggestions: Suggestions
) -> None:
    """Add every command of the table, and the menu of a message with a file."""
    for command in commands:
        tree.add_command(_slash_command(command, answer, suggestions))
        if command.takes_file and command.name in MENUS:
            tree.add_command(_menu(command, answer))


def _slash_command(command: Command, answer: Answer, suggestions: Suggestions) -> SlashCommand:
    words = command.usage.split(maxsplit=1)
    if command.name == FINETUNE:
        return _finetune(command, answer, suggestions)
    if command.takes_file:
        return _with_file(command, answer)
    if command.usage == _WHO:
        return _with_whom(command, answer)
    if words and _JOB.fullmatch(words[0]):
        return _with_job(command, answer, suggestions, more=words[1] if len(words) > 1 else "")
    return _with_text(command, answer) if words else _plain(command, answer)


def _plain(command: Command, answer: Answer) -> SlashCommand:
    async def callback(interaction: Interaction) -> None:
        await answer(interaction, DiscordRequest(command=command.name))

    return _made(command, callback)


def _with_job(command: Command, answer: Answer, suggestions: Suggestions, *, more: str) -> SlashCommand:
    async def one(interaction: Interaction, job: str | None = None) -> None:
        await answer(interaction, DiscordRequest(command=command.name, arguments=split_words(job or "")))

    async def and_more(interaction: Interaction, job: str | None = None, options: str | None = None) -> None:
        await answer(
            interaction,
            DiscordRequest(command=command.name, arguments=split_words(f"{_numbered(job)} {options or ''}")),
        )

    async def and_words(interaction: Interaction, job: str | None = None, words: str | None = None) -> None:
        await answer(
            interaction,
            DiscordRequest(command=command.name, arguments=split_words(f"{_numbered(job)} {words or ''}")),
        )

    described = {"words": N_("what you want to ask it")} if more == _WORDS else {"options": more} if more else {}
    callback = and_words if more == _WORDS else and_more if more else one
    made = _made(command, callback, job=N_("which job, as in #12"), **described)
    made.autocomplete("job")(suggestions.jobs)
    return made


def _numbered(job: str | None) -> str:
    """Return a job as it is named before other words: #12."""
    given = (job or "").strip()
    return f"#{given}" if given.isdecimal() else given


def _with_text(command: Command, answer: Answer) -> SlashCommand:
    async def needed(interaction: Interaction, text: str) -> None:
        await answer(interaction, DiscordRequest(command=command.name, arguments=split_words(text)))

    async def optional(interaction: Interaction, text: str | None = None) -> None:
        await answer(interaction, DiscordRequest(command=command.name, arguments=split_words(text or "")))

    return _made(command, optional if command.usage.startswith("[") else needed, text=command.usage)


def _with_whom(command: Command, answer: Answer) -> SlashCommand:
    async def callback(
        interaction: Interaction,
        who: Member | User | Role | None = None,
        options: str | None = None,
    ) -> None:
        mentioned = named(who) if who is not None else ()
        arguments = split_words(options or "")
        if who is not None and not mentioned:
            arguments = (who.name,)  # a bot, by its name: the command says what it makes of that
        await answer(interaction, DiscordRequest(command=command.name, arguments=arguments, mentioned=mentioned))

    return _made(
        command,
        callback,
        who=N_("a person or a role"),
        options=N_("or a place: chat, server; and for a person as:admin"),
    )


def _with_file(command: Command, answer: Answer) -> SlashCommand:
    async def callback(interaction: Interaction, file: Attachment | None = None, options: str | None = None) -> None:
        files = (Sent.of(file),) if file is not None else ()
        arguments = split_words(options or "")
        await answer(interaction, DiscordRequest(command=command.name, arguments=arguments, files=files))

    return _made(
        command,
        callback,
        file=N_("JSONL, JSON, CSV, Excel, Parquet, text or a chat export"),
        options=N_("or the word help"),
    )


def _finetune(command: Command, answer: Answer, suggestions: Suggestions) -> SlashCommand:
    async def callback(
        interaction: Interaction,
        file: Attachment | None = None,
        dataset: str | None = None,
        model: str | None = None,
        preset: str | None = None,
        name: str | None = None,
        epochs: float | None = None,
        learning_rate: str | None = None,
        at: str | None = None,
        options: str | None = None,
    ) -> None:
        named = {
            "file": dataset,
            "model": model,
            "preset": preset,
            "name": name,
            "epochs": short(epochs) if epochs is not None else None,
            "lr": learning_rate,
            "at": at,
        }
        words = [f"{key}:{value.strip()}" for key, value in named.items() if value]
        files = (Sent.of(file),) if file is not None else ()
        arguments = (*words, *split_words(options or ""))
        await answer(interaction, DiscordRequest(command=command.name, arguments=arguments, files=files))

    presets = [slash.Choice(name=slash.locale_str(PRESET_NAMES[it]), value=typed) for typed, it in PRESETS.items()]
    made = _made(
        command,
        slash.choices(preset=presets)(callback),
        file=N_("your dataset: JSONL, JSON, CSV, Excel, Parquet, text or a chat export"),
        dataset=N_("or one that was sent before"),
        model=N_("which model learns; left out: the small one that is there"),
        preset=N_("how thoroughly; left out: balanced"),
        name=N_("what the new model is called, as in toast"),
        epochs=N_("how often it goes through the rows, as in 3"),
        learning_rate=N_("as in 2e-4; left out: what fits the model"),
        at=N_("not before: 22:00, +2h"),
        options=N_("more, as in rank:16 batch:8; or the word sample, to try it without a file"),
    )
    made.autocomplete("dataset")(suggestions.datasets)
    made.autocomplete("model")(suggestions.models)
    return made


def _menu(command: Command, answer: Answer) -> slash.ContextMenu:
    async def callback(interaction: Interaction, message: Message) -> None:
        where = (message.channel.id, message.id)
        files = tuple(Sent.of(attachment, where) for attachment in message.attachments)
        await answer(interaction, DiscordRequest(command=command.name, files=files))

    return slash.ContextMenu(
        name=slash.locale_str(MENUS[command.name]),
        callback=callback,
        type=AppCommandType.message,
        allowed_contexts=CONTEXTS,
        allowed_installs=INSTALLS,
    )


def _made(command: Command, callback: Callable[..., Coroutine[Any, Any, None]], **described: str) -> SlashCommand:
    shown = {name: slash.locale_str(clip(one_line(text), DESCRIPTION_LENGTH)) for name, text in described.items()}
    return slash.Command(
        name=command.name,
        description=slash.locale_str(clip(command.summary, DESCRIPTION_LENGTH)),
        callback=slash.describe(**shown)(callback) if shown else callback,
        allowed_contexts=CONTEXTS,
        allowed_installs=INSTALLS,
    )
