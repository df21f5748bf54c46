"""The trainer without torch writes what the models of the job folder read, and nothing that they leave out."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from agent.job_folder.checkpoint_files import damage, list_checkpoints
from agent.job_folder.events import has_ended, read_events
from agent.job_folder.folder import Heartbeat, JobFolder, Phase
from shared.jobs import Stage
from tests.agent.report.test_closing import SPEC
from tests.fakes.trainer import STEPS, Voice, complete, fetch, train


def left_out(written: Any, read: object) -> list[str]:
    """Return the keys of JSON that the model it was read as does not have, or has otherwise."""
    if isinstance(read, BaseModel):
        fields = type(read).model_fields
        return [name for name in written if name not in fields] + [
            f"{name}.{key}"
            for name in written
            if name in fields
            for key in left_out(written[name], getattr(read, name))
        ]
    if isinstance(read, list):
        return [key for one, other in zip(written, read, strict=True) for key in left_out(one, other)]
    return [] if isinstance(written, dict) or written == read else [f"{written!r} and {read!r}"]


def test_every_line_that_it_writes_is_read_whole(tmp_path: Path) -> None:
    folder = JobFolder(path=tmp_path)
    folder.create(SPEC)
    voice = Voice(tmp_path)
    assert folder.phase() is Phase.fetch
    fetch(voice)
    assert folder.phase() is Phase.train
    train(voice, "succeed")
    records, _offset = read_events(folder.events, 0)
    lines = [json.loads(line) for line in folder.events.read_bytes().splitlines()]
    assert [key for line, record in zip(lines, records, strict=True) for key in left_out(line, record)] == []
    kinds = {record.data.kind for record in records}
    assert kinds == {"stage", "progress", "checkpoint", "evaluation", "artifact", "state"}
    assert has_ended(folder.events)
    [checkpoint] = list_checkpoints(folder.checkpoints)
    assert damage(checkpoint) is None
    heartbeat = folder.read_heartbeat()
    assert heartbeat is not None
    assert (heartbeat.stage, heartbeat.step) == (Stage.train, STEPS)
    assert left_out(json.loads(folder.heartbeat.read_bytes()), heartbeat) == []
    assert set(json.loads(folder.heartbeat.read_bytes())) == set(Heartbeat.model_fields)
    complete(voice, "verify")
    assert folder.phase() is Phase.hand_over
