"""Answers to what people do: within 3 s, once, and by a token that holds for 15 min.

https://docs.discord.com/developers/interactions/receiving-and-responding
"""

from dataclasses import dataclass, field

from tests.fakes.discord_server.rest import Rest, Uploads
from tests.fakes.discord_server.rules import EPHEMERAL, LOADING, Json, RefusedError, check
from tests.fakes.discord_server.world import Shown, World

COMMAND, COMPONENT, AUTOCOMPLETE, FORM = 2, 3, 4, 5
ANSWER_S, TOKEN_S = 3.0, 900.0
SELECT, TEXT_FIELD, FILE_FIELD = 3, 4, 19  # of a form
MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
ALLOWED = {
    COMMAND: {MESSAGE, DEFERRED_MESSAGE, MODAL}, COMPONENT: {MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE, MODAL},
    AUTOCOMPLETE: {CHOICES}, FORM: {MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE},
}  # fmt: skip


@dataclass(kw_only=True)
class Happened:
    """Something that a person did."""

    id: int
    kind: int
    person: int
    channel: int
    at: float
    message: int | None = None
    answered_at: float | None = None
    answer: int | None = None  # its kind
    original: int | None = None  # the message that answers it
    form: Json | None = None
    choices: list[Json] = field(default_factory=list)
    payload: Json = field(default_factory=dict)

    @property
    def token(self) -> str:
        return f"token-{self.id}"


class Interactions:
    """All that happened."""

    def __init__(self, world: World, rest: Rest) -> None:
        self._world = world
        self._rest = rest
        self.all: dict[int, Happened] = {}
        self.refused: list[int] = []  # codes

    def add(self, *, kind: int, person: int, channel: int, message: int | None = None) -> Happened:
        happened = Happened(
            id=self._world.next_id(), kind=kind, person=person, channel=channel, message=message, at=self._world.clock()
        )
        self.all[happened.id] = happened
        return happened

    @property
    def waiting(self) -> bool:
        """Whether somebody still waits for a sign of life."""
        now = self._world.clock()
        return any(it.answered_at is None and now - it.at <= ANSWER_S for it in self.all.values())

    def callback(self, interaction_id: int, token: str, body: Json, uploads: Uploads) -> Json:
        it = self.all.get(interaction_id)
        if it is None or it.token != token or (it.answered_at is None and self._world.clock() - it.at > ANSWER_S):
            raise self._no(404, 10062, "Unknown interaction")
        if it.answered_at is not None:
            raise self._no(400, 40060, "Interaction has already been acknowledged.")
        check(body["type"] in ALLOWED[it.kind], f"type {body['type']} does not answer this")
        data = body.get("data") or {}
        if body["type"] == DEFERRED_MESSAGE:
            check(set(data) <= {"flags"} and data.get("flags", 0) in {0, EPHEMERAL}, "a deferral is only ephemeral")
            self._original(it, flags=data.get("flags", 0) | LOADING)
        elif body["type"] == MESSAGE:
            self._rest.fill(self._original(it, flags=0), data, uploads)
            self._hide(it.original, it)
        elif body["type"] == MODAL:
            check(1 <= len(data["components"]) <= 5 and len(data["title"]) <= 45, "bad form")
            check(1 <= len(data["custom_id"]) <= 100, "bad custom_id")
            for label in data["components"]:
                check(label["type"] == 18 and len(label["label"]) <= 45, "bad label")
                check(len(label.get("description") or "") <= 100, "bad description")
                field = label["component"]
                check(field["type"] in (TEXT_FIELD, SELECT, FILE_FIELD), f"type {field['type']} is no field")
                check(len(field.get("placeholder") or "") <= 100, "placeholder")
                if field["type"] == SELECT:
                    check(1 <= len(field["options"]) <= 25, "bad options")
                    values = [option["value"] for option in field["options"]]
                    check(len(set(values)) == len(values) and all(1 <= len(it) <= 100 for it in values), "bad values")
            it.form = data
        elif body["type"] == CHOICES:
            check(len(data["choices"]) <= 25, "too many choices")
            check(all(1 <= len(one["name"]) <= 100 and len(one["value"]) <= 100 for one in data["choices"]), "choice")
            it.choices = data["choices"]
        it.answered_at, it.answer = self._world.clock(), body["type"]
        return {
            "interaction": {"id": str(it.id), "type": it.kind},
            "resource": {"type": body["type"], **self._message(it)},
        }

    def edit(self, token: str, message: str, body: Json, uploads: Uploads) -> Json:
        it = self._by_token(token)
        shown = self._named(it, message)
        if not shown.thinking:
            shown.edits.append(self._world.clock())
        self._rest.fill(shown, body, uploads)
        return self._world.message_json(shown)

    def get(self, token: str, message: str) -> Json:
        return self._world.message_json(self._named(self._by_token(token), message))

    def delete(self, token: str, message: str) -> None:
        del self._world.messages[self._named(self._by_token(token), message).id]

    def follow_up(self, token: str, body: Json, uploads: Uploads) -> Json:
        it = self._by_token(token)
        if it.answered_at is None:
            raise self._no(404, 10015, "Unknown Webhook")
        thinking = self._world.messages.get(it.original or 0)
        if thinking is not None and thinking.thinking:  # the first follow-up takes its place, seen by the same people
            self._rest.fill(thinking, {**body, "flags": body.get("flags", 0) & ~EPHEMERAL}, uploads)
            return self._world.message_json(thinking)
        shown = Shown(id=self._world.next_id(), channel=it.channel, author=self._world.me, sent_at=self._world.clock())
        self._rest.fill(shown, body, uploads)
        self._world.messages[shown.id] = shown
        self._hide(shown.id, it)
        return self._world.message_json(shown)

    def _original(self, it: Happened, *, flags: int) -> Shown:
        shown = Shown(
            id=self._world.next_id(), channel=it.channel, author=self._world.me, sent_at=self._world.clock(),
            flags=flags,
        )  # fmt: skip
        self._world.messages[shown.id] = shown
        it.original = shown.id
        if it.kind == COMMAND:
            shown.because = f"{self._world.people[it.person]} used {it.payload['data']['name']}"
        self._hide(shown.id, it)
        return shown

    def _hide(self, message: int | None, it: Happened) -> None:
        shown = self._world.messages[message or 0]
        shown.seen_by = it.person if shown.flags & EPHEMERAL else None

    def _named(self, it: Happened, message: str) -> Shown:
        wanted = it.original if message == "@original" else int(message)
        shown = self._world.messages.get(wanted or 0)
        if shown is None:
            raise RefusedError(404, 10008, "Unknown Message")
        return shown

    def _by_token(self, token: str) -> Happened:
        for it in self.all.values():
            if it.token == token and self._world.clock() - it.at <= TOKEN_S:
                return it
        raise self._no(404, 10015, "Unknown Webhook")

    def _message(self, it: Happened) -> Json:
        shown = self._world.messages.get(it.original or 0)
        return {"message": self._world.message_json(shown)} if shown is not None else {}

    def _no(self, status: int, code: int, message: str) -> RefusedError:
        self.refused.append(code)
        return RefusedError(status, code, message)
