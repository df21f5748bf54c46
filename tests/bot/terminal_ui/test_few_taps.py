"""From dropping a file to a started job in at most three taps, in the terminal."""

from pathlib import Path

import pytest

from shared.inspections import Question
from tests.bot.questions import COLUMNS
from tests.bot.terminal_ui.test_story import play
from tests.fakes.agent_server import FakeAgent

pytestmark = pytest.mark.process


@pytest.mark.parametrize(
    ("question", "taps"),
    [(None, ["Start"]), (COLUMNS, ["Yes, read it so", "Start"])],
    ids=["clear", "columns"],
)
async def test_from_a_dropped_file_to_a_started_job_in_three_taps(
    agent: FakeAgent, tmp_path: Path, question: Question | None, taps: list[str]
) -> None:
    agent.question, agent.autoplay = question, "succeeded"
    (tmp_path / "tickets.csv").write_text("Kunde,Unsere Antwort\n")
    code, said = await play(tmp_path, agent.url, "tickets.csv\n" + "1\n" * len(taps))
    assert len(taps) <= 3
    assert code == 0
    positions = [said.index(f"[1] {tap}") for tap in taps]
    assert positions == sorted(positions)
    assert "✓ toast is ready" in said
    assert [it.mapping for it in agent.plan_requests] == [question.choices[0].mapping if question else None]
