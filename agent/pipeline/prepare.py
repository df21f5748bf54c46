"""Stage 2: rows become tokens, dealt into train, validation and test, with what is asked of the finished model."""

import json
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

from agent.base_models.card import BaseModelCard, read_card
from agent.data.character import Character, CharacterCount
from agent.data.chat_template import IGNORED, ChatTemplate, TokenizedRow
from agent.data.checks.copies import SAMPLE, fingerprint, kept_together, near_pairs
from agent.data.checks.text_checks import RowText
from agent.data.held_out import HeldOutPrompt
from agent.data.judged_rows import judged_rows
from agent.data.reading import Reading
from agent.data.split import Split, split_rows
from agent.data.turns import RowProblem
from agent.data.usable_rows import Drops, KeptRow, kept_rows
from agent.diagnosis.answer_signs import answer_digest
from agent.errors import AgentError
from agent.job_folder.durable import file_sha256, replace_file
from agent.job_folder.folder import JobFolder
from agent.methods.table import METHODS
from agent.pipeline.context import Context
from agent.pipeline.held_out_prompts import held_out_prompt
from agent.pipeline.token_rows import PARTS, write_parts, writing_rows
from shared.errors import ErrorCode
from shared.events import StageData
from shared.inspections import DatasetForm
from shared.jobs import Stage
from shared.language import _, ngettext

TRAIN, VALIDATION, TEST = range(len(PARTS))
NO_PART = len(PARTS)
GOOD, BAD = 1, 2  # answers; a question that has a bad one alone is asked where there is no other
TICK_ROWS = 256  # read between two looks at what the agent wishes
HELD_OUT_PROMPTS = 8
TRIED = 4  # times as many rows, where some cannot be asked


@dataclass(kw_only=True)
class PreparedRows:
    """What is known of the rows once their tokens are on disk: some ten bytes a row, however long it is."""

    digests: "array[int]" = field(default_factory=lambda: array("q"))  # of each kept row; equal for copies
    fingerprints: list[RMinHash] = field(default_factory=list)  # of each, while they are not too many to be compared
    owners: "array[int]" = field(default_factory=lambda: array("I"))  # of each row on disk, the kept row it is of
    answers: "array[int]" = field(default_factory=lambda: array("q"))  # of each kept row, the digest of its last answer
    asked: bytearray = field(
        default_factory=bytearray
    )  # whether the model may be asked it, once a row: GOOD, BAD, or 0
    character: CharacterCount = field(default_factory=CharacterCount)
    stops: bytearray = field(default_factory=bytearray)  # of each row on disk, whether it teaches where to stop
    held_from: int | None = None  # from this kept row on they are of the validation file; None: there is none
    identities: "array[int]" = field(
        default_factory=lambda: array("q")
    )  # then of each: equal for copies of a whole row


def base_card(context: Context) -> BaseModelCard:
    """Return the card of the job's base model."""
    card = read_card(Path(context.spec.base_model_cache))
    if card is None:
        raise AgentError(_("The base model's card is gone. Start the job again."), code=ErrorCode.internal)
    return card


def read_held_out(folder: JobFolder) -> list[HeldOutPrompt]:
    """Read the held-out prompts."""
    data = json.loads((folder.path / "rows" / "held_out.json").read_bytes())
    return [HeldOutPrompt.model_validate(item) for item in data]


def read_character(folder: JobFolder) -> Character:
    """Read what the finished model is by itself; a job that an older version prepared has none of its own."""
    try:
        return Character.model_validate_json(_character_file(folder).read_bytes())
    except FileNotFoundError:
        return Character(thinks=None)


def read_trained_answers(folder: JobFolder) -> frozenset[int]:
    """Read the digests of the answers that were trained on; empty for a job that an older version prepared."""
    try:
        return frozenset(np.load(_answers_file(folder), allow_pickle=False).tolist())
    except FileNotFoundError:
        return frozenset()


def _answers_file(folder: JobFolder) -> Path:
    return folder.path / "rows" / "answers.npy"


def _character_file(folder: JobFolder) -> Path:
    return folder.path / "rows" / "character.json"


def run(context: Context) -> None:
    """Write rows/: the tokens, the parts, held_out.json. Raises AgentError, Cancelled, Stopped."""
    spec = context.spec
    _check_hash(Path(spec.dataset_path), spec.dataset_sha256)
    if spec.validation_path is not None:
        _check_hash(Path(spec.validation_path), str(spec.validation_sha256))
    card = base_card(context)
    template = ChatTemplate(card)
    taken = _take_all(context, template, template.token_ids(card.eos_tokens))
    split = split_rows(_dealt(taken), spec.seed) if spec.validation_path is None else _of_two_files(context, taken)
    parts = _parts(taken, split)
    _check_parts(parts, spec.settings.max_length)
    if spec.form is not DatasetForm.text:
        _check_end_of_turn(np.frombuffer(taken.stops, dtype=np.bool_)[parts == TRAIN])
    write_parts(context.folder, parts)
    np.save(_answers_file(context.folder), np.unique(np.frombuffer(taken.answers, dtype=np.int64)[list(split.train)]))
    character = taken.character.found()
    if not template.shows_tools:
        character = character.model_copy(update={"tools": False})
    replace_file(_character_file(context.folder), character.model_dump_json().encode())
    held_out = (*split.test, *split.validation)
    asked = [number for number in held_out if taken.asked[number] == GOOD]
    _write_held_out(context, asked or [number for number in held_out if taken.asked[number]], character)


def _kept(context: Context, template: ChatTemplate) -> Iterator[tuple[bool, KeptRow]]:
    """Read the dataset once, and then what is held out where it has a file of its own: that is said of each row.

    Look every so often whether the agent asks for an end.
    """
    spec = context.spec
    read = judged_rows if METHODS[spec.method].judged else kept_rows
    for path in filter(None, (spec.dataset_path, spec.validation_path)):
        reading = Reading(dataset=Path(path), form=spec.form, mapping=spec.mapping)
        for number, row in enumerate(read(reading, template, Drops())):
            if number % TICK_ROWS == 0:
                context.tick()
            yield path == spec.validation_path, row


def _take_all(context: Context, template: ChatTemplate, ends: set[int]) -> PreparedRows:
    """Write all rows' tokens, cut at max_length, without those that nothing is left to learn of."""
    taken, length, last = PreparedRows(), context.spec.settings.max_length, -1
    with writing_rows(context.folder) as writer:
        for number, (held, row) in enumerate(_kept(context, template)):
            if held and taken.held_from is None:
                taken.held_from = number
            goes_on = row.part > 0 and row.number == last  # the examples of one row stay together
            last = row.number
            taken.digests.append(taken.digests[-1] if goes_on else _digest(row.tokens.input_ids))
            taken.answers.append(answer_digest(row.messages[-1].content))
            taken.asked.append(0 if goes_on else GOOD if row.wanted else BAD)
            if not goes_on and not held:
                taken.character.add(row.said)
            if context.spec.validation_path is not None:
                taken.identities.append(row.identity)
            if number < SAMPLE and context.spec.validation_path is None:
                taken.fingerprints.append(fingerprint(RowText(row.messages).whole))
            else:
                taken.fingerprints.clear()
            goes_on_whole = context.spec.form is DatasetForm.text
            cut = [list(_cut(it, length, goes_on=goes_on_whole)) for it in (row.tokens, row.worse) if it is not None]
            if not all(cut) or (len(cut) > 1 and cut[0] == cut[1]):
                continue  # of a pair, one answer alone says nothing, and neither do two that part behind the cut
            for worse, rows in enumerate(cut):
                for ids, labels in rows:
                    writer.add(ids, labels, wanted=row.wanted and not worse)
                    taken.owners.append(number)
                    taken.stops.append(not ends.isdisjoint(labels))
    return taken


def _digest(ids: list[int]) -> int:
    """Return a number that is equal for equal rows, and for others only by a chance of one in 10^19."""
    return int.from_bytes(blake2b(array("i", ids).tobytes(), digest_size=8).digest(), "little", signed=True)


def _cut(tokens: TokenizedRow, length: int, *, goes_on: bool) -> Iterator[tuple[list[int], list[int]]]:
    """Yield ids and labels of what is learned; a text that is longer goes on in the next row, so nothing is lost."""
    for start in range(0, len(tokens.input_ids) if goes_on else min(1, len(tokens.input_ids)), length):
        ids, labels = tokens.input_ids[start : start + length], tokens.labels[start : start + length]
        if any(label != IGNORED for label in labels):
            yield ids, labels


def _dealt(taken: PreparedRows) -> Sequence[int]:
    """Return what the split goes by: copies are one, and in a dataset that is not too large near copies as well."""
    if len(taken.digests) > SAMPLE:
        return taken.digests
    return kept_together(taken.digests, near_pairs(taken.fingerprints))


def _of_two_files(context: Context, taken: PreparedRows) -> Split:
    """Return the rows of the dataset as those that train, of the validation file those that do not train as well."""
    train = range(len(taken.identities) if taken.held_from is None else taken.held_from)
    trained, held = set(taken.identities[: len(train)]), range(len(train), len(taken.identities))
    own = array("I", [number for number in held if taken.identities[number] not in trained])
    if not own:
        raise AgentError(
            _("Each row of the validation file is trained on as well, or not usable. Send others, or leave it out."),
            code=ErrorCode.dataset_too_small,
            param="validation_file",
        )
    if copies := len(held) - len(own):
        context.log.write(
            ngettext(
                "{n} row of the validation file is trained on as well, so it is left out.",
                "{n} rows of the validation file are trained on as well, so they are left out.",
                copies,
            ),
            StageData(stage=Stage.prepare, done=False),
            level="warn",
        )
    return Split(train=array("I", train), validation=own, test=array("I"))


def _parts(taken: PreparedRows, split: Split) -> NDArray[np.uint8]:
    """Return for each row on disk the number of its part; a row of none is not looked at any more."""
    part_of = np.full(len(taken.digests), NO_PART, dtype=np.uint8)
    part_of[split.train], part_of[split.validation], part_of[split.test] = TRAIN, VALIDATION, TEST
    return part_of[np.frombuffer(taken.owners, dtype=np.uint32)]


def _check_parts(parts: NDArray[np.uint8], max_length: int) -> None:
    """Make sure that there is something to train on, and something to hold it against."""
    for part in (TRAIN, VALIDATION):
        if not (parts == part).any():
            raise AgentError(
                _(
                    "With max_length {max_length} every answer of the {part} rows is cut away. Choose a longer "
                    "max_length.",
                    max_length=max_length,
                    part=PARTS[part],
                ),
                code=ErrorCode.setting_invalid,
                param="max_length",
            )


def _check_end_of_turn(stops: NDArray[np.bool_]) -> None:
    """Make sure that the model is taught to stop: at least half of the rows keep their end-of-turn token."""
    taught = int(stops.sum())
    if taught < len(stops) / 2:
        raise AgentError(
            _(
                "Only {taught} of {count} rows teach the model where to stop; the others lose their end "
                "to max_length. Choose a longer one.",
                taught=taught,
                count=len(stops),
            ),
            code=ErrorCode.setting_invalid,
            param="max_length",
        )


def _write_held_out(context: Context, held_out: list[int], character: Character) -> None:
    """Write what the finished model is asked of the rows with these numbers, the first that can be asked.

    Raises AgentError where none can: the exported model could not be held against the trained one.
    """
    template = ChatTemplate(base_card(context))
    prompts: list[dict[str, object]] = []
    problem = ""
    for row in _rows_of(held_out[: TRIED * HELD_OUT_PROMPTS], _kept(context, template)):
        if len(prompts) == HELD_OUT_PROMPTS:
            break
        try:
            prompts.append(held_out_prompt(row.said, template, character).model_dump())
        except RowProblem as found:
            problem = str(found)
    if not prompts:
        raise AgentError(
            _("No row that is held out can be asked of the finished model: the first {problem}.", problem=problem),
            code=ErrorCode.dataset_unknown_form,
        )
    replace_file(context.folder.path / "rows" / "held_out.json", json.dumps(prompts, ensure_ascii=False).encode())


def _rows_of(numbers: list[int], kept: Iterator[tuple[bool, KeptRow]]) -> list[KeptRow]:
    """Return some kept rows, from a second reading that ends with the last of them."""
    found: dict[int, KeptRow] = {}
    for number, (_held, row) in enumerate(kept):
        if number in numbers:
            found[number] = row
        if len(found) == len(numbers):
            break
    return [found[number] for number in numbers]


def _check_hash(path: Path, expected: str) -> None:
    if file_sha256(path) != expected:
        raise AgentError(
            _("The dataset on disk is not the one that was planned with. Send it again."), code=ErrorCode.dataset_broken
        )
