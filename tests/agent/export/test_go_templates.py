"""Law 3 for `ollama run`: what the Modelfile's template in Go makes of a talk is what training showed of it."""

from tests.agent.export.go_templates import asked, recorded


def test_go_asks_a_finished_model_what_it_was_trained_on() -> None:
    talks, known = asked(), recorded()
    assert len({talk.family for talk in talks}) > 15
    unknown = [talk.family for talk in talks if talk.key not in known]
    assert not unknown, "record them: python -m tests.agent.export.go_templates"
    assert [talk.family for talk in talks if known[talk.key] != talk.row] == []
    assert set(known) == {talk.key for talk in talks}
