"""A person at a keyboard: runs commands, presses buttons, fills in forms. What is possible, Discord decides."""

from typing import Any

from tests.fakes.discord_server.gateway import MESSAGE_CONTENT
from tests.fakes.discord_server.interactions import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    FILE_FIELD,
    FORM,
    TEXT_FIELD,
    Happened,
)
from tests.fakes.discord_server.rules import Json
from tests.fakes.discord_server.server import FakeDiscord
from tests.fakes.discord_server.world import DIRECT, GUILD, ME, Shown, moment, user_json

File = tuple[str, bytes]
TEXT, ATTACHMENT = 3, 11
GUILD_MESSAGES, DIRECT_MESSAGES = 1 << 9, 1 << 12  # intents


class Person:
    """One account. Without a channel it speaks to the bot directly."""

    def __init__(self, server: FakeDiscord, id: int, name: str, *, locale: str = "en-US", role: int = 0) -> None:
        self._server = server
        self.id, self.name, self.locale = id, name, locale
        self._roles = server.world.members[id] = [str(role)] if role else []
        server.world.people[id] = name
        self.direct = int(server.rest.open_direct({"recipient_id": id})["id"])

    async def slash(
        self, command: str, *, file: File | None = None, channel: int | None = None, **given: Any
    ) -> Happened:
        """Run a command with options that it has."""
        known = self._command(command, kind=1)
        kinds = {option["name"]: option for option in known.get("options") or []}
        needed = {name for name, option in kinds.items() if option.get("required")}
        assert needed <= set(given) | ({"file"} if file else set()), f"/{command} needs {needed}"
        chosen = [value for value in given.values() if isinstance(value, Person)]
        given = {name: str(value.id) if isinstance(value, Person) else value for name, value in given.items()}
        assert all(isinstance(given[name], str) for name in given if kinds[name]["type"] == TEXT), "a text is a text"
        for name in given:
            offered = [choice["value"] for choice in kinds[name].get("choices") or []]
            assert not offered or given[name] in offered, f"{name} is one of {offered}"
        options = [{"name": name, "type": kinds[name]["type"], "value": value} for name, value in given.items()]
        resolved: Json = {"users": {str(it.id): user_json(it.id, it.name) for it in chosen}} if chosen else {}
        if file is not None:
            stored = self._server.world.store(*file)
            options.append({"name": "file", "type": ATTACHMENT, "value": str(stored.id)})
            resolved["attachments"] = {str(stored.id): self._server.world.file_json(stored)}
        data = {"id": known["id"], "name": command, "type": 1, "options": options, "resolved": resolved}
        return await self._do(COMMAND, data, channel)

    async def type(self, command: str, option: str, typed: str, *, channel: int | None = None) -> Happened:
        """Type into an option with suggestions."""
        known = self._command(command, kind=1)
        wanted = next(it for it in known["options"] if it["name"] == option)
        assert wanted["autocomplete"]
        focused = {"name": option, "type": wanted["type"], "value": typed, "focused": True}
        return await self._do(
            AUTOCOMPLETE, {"id": known["id"], "name": command, "type": 1, "options": [focused]}, channel
        )

    async def menu(self, name: str, message: Shown) -> Happened:
        """Use a command on a message."""
        known = self._command(name, kind=3)
        resolved = {"messages": {str(message.id): self._server.world.message_json(message)}}
        data = {"id": known["id"], "name": name, "type": 3, "target_id": str(message.id), "resolved": resolved}
        return await self._do(COMMAND, data, message.channel)

    async def press(self, label: str, *, channel: int | None = None, message: Shown | None = None) -> Happened:
        """Press the newest button of that name that this person sees."""
        where = self.direct if channel is None else channel
        for shown in [message] if message else reversed(self._server.world.of(where)):
            for button in shown.layout.buttons:
                if button["label"] == label and shown.seen_by in {None, self.id}:
                    return await self.press_line(button["custom_id"], shown)
        raise AssertionError(f"no button {label}:\n{self._server.world.transcript(where)}")

    async def press_line(self, line: str, message: Shown) -> Happened:
        """Send what a button carries, or what somebody forged."""
        return await self._do(COMPONENT, {"custom_id": line, "component_type": 2}, message.channel, message=message)

    async def submit(self, opened: Happened, *files: File, **said: str) -> Happened:
        """Fill in some fields of the form that a press has opened, by their ids."""
        assert opened.form is not None
        stored = [self._server.world.store(*file) for file in files]
        resolved: Json = {"attachments": {str(it.id): self._server.world.file_json(it) for it in stored}}
        fields = []
        for label in opened.form["components"]:
            inner = label["component"]
            value = said.pop(inner["custom_id"], "")
            answer: Json = {"type": inner["type"], "custom_id": inner["custom_id"]}
            if inner["type"] == TEXT_FIELD:
                answer["value"] = value or inner.get("value", "")
            elif inner["type"] == FILE_FIELD:
                answer["values"] = [str(it.id) for it in stored]
            else:
                assert not value or value in [option["value"] for option in inner["options"]]
                answer["values"] = [value] if value else []
            assert answer.get("value") or answer.get("values") or not inner.get("required", True)
            fields.append({"type": 18, "component": answer})
        assert not said, f"no field {said}"
        data = {"custom_id": opened.form["custom_id"], "components": fields, "resolved": resolved}
        message = self._server.world.messages[opened.message or 0]
        return await self._do(FORM, data, opened.channel, message=message)

    def send(self, *files: File, channel: int | None = None) -> Shown:
        """Send an ordinary message, of which the bot is told nothing."""
        world = self._server.world
        message = Shown(
            id=world.next_id(), channel=self.direct if channel is None else channel, sent_at=world.clock(),
            author=user_json(self.id, self.name), attachments=[world.store(*file) for file in files],
        )  # fmt: skip
        world.messages[message.id] = message
        return message

    async def write(
        self, text: str, *files: File, channel: int | None = None, naming_the_bot: bool = False,
        naming: "Person | None" = None, answers: Shown | None = None,
    ) -> Shown:  # fmt: skip
        """Write a message; the bot is told of it as far as its intents go, and of its words if they are for it."""
        world, gateway = self._server.world, self._server.gateway
        shown = self.send(*files, channel=channel)
        shown.content = f"<@{ME}> {text}" if naming_the_bot else text
        where = world.channels[shown.channel]
        direct = where.type == DIRECT
        body = world.message_json(shown)
        if answers is not None:
            body |= {"type": 19, "message_reference": {"message_id": str(answers.id), "channel_id": str(where.id)},
                     "referenced_message": world.message_json(answers)}  # fmt: skip
        body["mentions"] = [world.me] if naming_the_bot else [user_json(naming.id, naming.name)] if naming else []
        if not (naming_the_bot or direct or gateway.identified[-1] & MESSAGE_CONTENT):
            body |= {"content": "", "attachments": [], "components": []}
        if not direct:
            body |= {"guild_id": str(GUILD), "member": {"roles": self._roles, "joined_at": moment(0), "flags": 0,
                                                        "deaf": False, "mute": False, "nick": None}}  # fmt: skip
        if gateway.identified[-1] & (DIRECT_MESSAGES if direct else GUILD_MESSAGES):
            await gateway.dispatch("MESSAGE_CREATE", body)
        return shown

    async def again(self, happened: Happened) -> None:
        """Have an interaction delivered once more."""
        await self._server.gateway.dispatch("INTERACTION_CREATE", happened.payload)

    def _command(self, name: str, *, kind: int) -> Json:
        for command in self._server.rest.commands:
            if command["name"] == name and command["type"] == kind:
                return command
        raise AssertionError(f"the bot has no {name}")

    async def _do(self, kind: int, data: Json, channel: int | None, *, message: Shown | None = None) -> Happened:
        world = self._server.world
        where = world.channels[self.direct if channel is None else channel]
        happened = self._server.interactions.add(
            kind=kind, person=self.id, channel=where.id, message=message.id if message else None
        )
        me = user_json(self.id, self.name)
        payload: Json = {
            "id": str(happened.id), "application_id": str(ME), "type": kind, "token": happened.token, "version": 1,
            "data": data, "channel_id": str(where.id), "channel": world.channel_json(where), "locale": self.locale,
            "attachment_size_limit": 10 * 2**20, "entitlements": [], "authorizing_integration_owners": {},
            "app_permissions": str(where.permissions), "context": 1 if where.type == DIRECT else 0,
        }  # fmt: skip
        if where.type == DIRECT:
            payload["user"] = me
        else:
            payload |= {"guild_id": str(GUILD), "guild": {"id": str(GUILD), "locale": "en-US", "features": []}}
            payload["member"] = {
                "user": me, "roles": self._roles, "joined_at": moment(0), "flags": 0, "permissions": "0", "nick": None,
                "deaf": False, "mute": False,
            }  # fmt: skip
        if message is not None:
            payload["message"] = world.message_json(message)
        happened.payload = payload
        await self._server.gateway.dispatch("INTERACTION_CREATE", payload)
        return happened
