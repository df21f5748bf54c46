"""After the last stage: the plot, the report, the advice, the result files, and the last event."""

import importlib.metadata
from pathlib import Path

from agent.data.redact import redact
from agent.diagnosis.answer_signs import look_at
from agent.diagnosis.curve import LossCurve
from agent.diagnosis.rules import Case, diagnose
from agent.job_folder.durable import replace_file
from agent.job_folder.events import read_events
from agent.methods.measured import Measured
from agent.methods.table import METHODS
from agent.pipeline.context import Context
from agent.pipeline.evaluation import SHOWN_QUESTIONS, Evaluation, read_evaluation
from agent.pipeline.prepare import base_card, read_trained_answers
from agent.pipeline.telling import telling
from agent.pipeline.to_ollama import read_ollama
from agent.pipeline.token_rows import read_rows
from agent.pipeline.verified import read_verified
from agent.report.closing import verdict, write_report
from agent.report.plot import draw_loss_plot
from shared.errors import ErrorCode
from shared.events import AdviceData, EventRecord, ProgressData, SampleData, StateData
from shared.jobs import JobStatus
from shared.results import Answer, JobResult

LIBRARIES = ("torch", "transformers", "trl", "peft", "bitsandbytes", "gguf", "xllamacpp")


def conclude(context: Context) -> None:
    """Write report/ and say how it ended; the last event of a job that succeeded."""
    records = _of_this_training(context)
    curve = LossCurve.from_events(records)
    result = make_result(context, curve, records)
    report = context.folder.report
    replace_file(report / "loss.png", draw_loss_plot(curve, title=f"#{context.spec.number} {context.spec.name}"))
    versions = {name: importlib.metadata.version(name) for name in LIBRARIES}
    text = write_report(context.spec, base_card(context), result, versions)
    replace_file(report / "report.md", text.encode())
    replace_file(report / "report.json", result.model_dump_json(indent=2).encode())
    for answer in result.answers:
        context.log.write(f"Asked: {answer.question}", SampleData(answer=answer))
    for advice in result.advice:
        context.log.write(f"{advice.title}. {advice.message}", AdviceData(advice=advice), level="warn")
    for path in result_files(context):
        context.announce(path)
    context.log.write(result.verdict, StateData(status=JobStatus.succeeded, result=result))


def advise_after_failure(context: Context, cause: ErrorCode) -> None:
    """Say what would make the next try end better, where there is a rule for what broke this one off."""
    records = _of_this_training(context)
    case = Case(curve=LossCurve.from_events(records), settings=context.spec.settings, ended=cause)
    for advice in diagnose(case):
        context.log.write(f"{advice.title}. {advice.message}", AdviceData(advice=advice), level="warn")


def _of_this_training(context: Context) -> list[EventRecord]:
    """Read the events, without those of a training that was given up."""
    records, _ = read_events(context.folder.events, 0)
    began = context.folder.read_spec().began_again_at or 0.0
    return [record for record in records if record.created_at >= began]


def result_files(context: Context) -> list[Path]:
    """List what a person gets, beside the adapter that the training handed out."""
    export, report, name = context.folder.export, context.folder.report, context.spec.name
    return [
        context.gguf,
        export / "Modelfile",
        *([] if context.spec.settings.use_dora else [export / f"{name}-adapter.gguf"]),
        report / "loss.png",
        report / "report.md",
        report / "report.json",
    ]


def make_result(context: Context, curve: LossCurve, records: list[EventRecord]) -> JobResult:
    """Gather the closing facts from what the stages left."""
    evaluation = read_evaluation(context)
    verified = read_verified(context)
    progress = [record.data for record in records if isinstance(record.data, ProgressData)]
    test_rows = len(read_rows(context.folder, "test"))
    optimistic = test_rows == 0
    best_step, best_loss = curve.best or (0, evaluation.final_loss)
    speeds = [point.tokens_per_s for point in progress if point.tokens_per_s is not None]
    answers = evaluation.tuned_answers
    endless = 0 if evaluation.capped else sum(not answer.stopped for answer in answers)
    signs = look_at(
        [answer.text for answer in answers],
        endless=endless,
        expected=[answer.prompt.expected for answer in answers],
        trained=read_trained_answers(context.folder),
    )
    method = METHODS[context.spec.method]
    measured = Measured(
        before=evaluation.base_loss,
        after=evaluation.final_loss,
        rows=method.examples(test_rows or len(read_rows(context.folder, "validation"))),
        accuracy=evaluation.accuracy,
        accuracy_before=evaluation.base_accuracy,
        margin=evaluation.margin,
    )
    told = verdict(
        method.verdict(measured),
        optimistic=optimistic,
        signs=signs,
        form=context.spec.form,
        tool_calls=verified.verification.tool_calls,
    )
    case = Case(
        curve=curve,
        settings=context.spec.settings,
        train_rows=method.examples(len(read_rows(context.folder, "train"))),
        answers=len(answers),
        unstopped=endless,
    )
    return JobResult(
        verdict=told.text,
        ready=told.ready,
        base_loss=evaluation.base_loss,
        final_loss=evaluation.final_loss,
        accuracy=evaluation.accuracy,
        margin=evaluation.margin,
        best_step=best_step,
        best_validation_loss=best_loss,
        steps=progress[-1].step if progress else 0,
        trained_tokens=progress[-1].trained_tokens if progress else 0,
        train_seconds=_train_seconds(records),
        tokens_per_s=speeds[-1] if speeds else 0.0,
        peak_memory_mib=max((point.memory_mib or 0 for point in progress), default=0),
        optimistic=optimistic,
        adapted=context.spec.adapted,
        short_memory_mib=context.spec.short_memory_mib,
        answers=_most_telling(evaluation, verified.tuned_texts),
        advice=diagnose(case),
        verification=verified.verification,
        ollama_name=context.spec.ollama_name,
        gguf_bytes=context.gguf.stat().st_size,
        ollama=read_ollama(context),
    )


def _most_telling(evaluation: Evaluation, tuned_texts: list[str]) -> list[Answer]:
    """Return questions with both answers, the one that shows best what was learned first."""
    asked = [answer.prompt for answer in evaluation.tuned_answers]
    told = sorted(
        zip(asked, evaluation.base_answers, tuned_texts, strict=False),
        key=lambda it: telling(it[1], it[2], it[0].expected),
        reverse=True,
    )
    return [
        Answer(question=redact(prompt.question), base=redact(base), tuned=redact(tuned)) for prompt, base, tuned in told
    ][:SHOWN_QUESTIONS]


def _train_seconds(records: list[EventRecord]) -> float:
    times = [record.created_at for record in records if isinstance(record.data, ProgressData)]
    return times[-1] - times[0] if times else 0.0
