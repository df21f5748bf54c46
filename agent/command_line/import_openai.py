"""`hearth-agent import-openai FOLDER`: plans the fine-tuning jobs of OpenAI that were downloaded to a folder, here.

All is planned, or nothing is: what was sent for a plan that cannot be made is taken back.
"""

import argparse
import contextlib
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from agent.base_models.catalog import PACKAGED
from agent.command_line.openai_export import ExportedRun, read_export
from agent.command_line.running_agent import RunningAgent
from agent.errors import AgentError
from agent.job_folder.durable import file_sha256
from agent.settings import AgentSettings
from shared.errors import ErrorCode
from shared.jobs import Job
from shared.language import _, decimal, grouped, locale_here, ngettext, speaking
from shared.plans import Plan, PlanRequest


@dataclass(kw_only=True)
class _Sent:
    """The datasets that the agent has."""

    agent: RunningAgent
    known: dict[tuple[str, str], str]  # id by hash and name, of all that are there
    new: list[str] = field(default_factory=list)  # ids of those that were sent now

    def file(self, path: Path, name: str) -> str:
        """Return the id of a dataset, which is sent unless the agent has it already. Raises AgentError."""
        key = (file_sha256(path), name)
        if key not in self.known:
            self.known[key] = str(self.agent.upload(path, name)["id"])
            self.new.append(self.known[key])
        return self.known[key]

    def take_back(self) -> None:
        """Delete what was sent now."""
        for file_id in self.new:
            with contextlib.suppress(AgentError):  # why there is no plan is what has to be said
                self.agent.ask("DELETE", f"/v1/files/{file_id}")


def main(arguments: Sequence[str]) -> int:
    """Plan, and with --start start; return the exit code."""
    with speaking(locale_here()):
        given = _parser().parse_args(arguments)
        try:
            runs = read_export(given.folder, given.job)
            agent = RunningAgent(AgentSettings())
            plans = _planned(agent, runs, given.model)
            print("\n\n".join(_told(run, plan) for run, plan in zip(runs, plans, strict=True)))
            print()
            print(_("OpenAI's weights cannot be had: {model} learns from the same rows instead.", model=given.model))
            if given.start:
                _start(agent, runs, plans)
            else:
                print(_("Nothing runs yet. To start: {command}", command=_start_command(given)))
        except ValidationError as error:
            print(str(error), file=sys.stderr)
            return 2
        except (AgentError, OSError) as error:
            print(str(error), file=sys.stderr)
            return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hearth-agent import-openai",
        description=_("Plan OpenAI's fine-tuning jobs here, from what was downloaded of them."),
    )
    parser.add_argument("folder", type=Path, help=_("with the job objects, and the dataset files by id or name"))
    parser.add_argument("--model", default=PACKAGED, help=_("the base model that learns; {model} if not given",
                                                            model=PACKAGED))  # fmt: skip
    parser.add_argument("--job", metavar="ftjob-…", help=_("this one alone"))
    parser.add_argument("--start", action="store_true", help=_("start what was planned"))
    return parser


def _planned(agent: RunningAgent, runs: Sequence[ExportedRun], model: str) -> list[Plan]:
    """Return a plan for each run, or take back what was sent. Raises AgentError that names the job."""
    files = agent.ask("GET", "/v1/files?purpose=fine-tune")["data"]
    sent = _Sent(agent=agent, known={(file["sha256"], file["filename"]): file["id"] for file in files})
    plans = []
    for run in runs:
        try:
            wanted = PlanRequest(
                model=model,
                training_file=sent.file(run.training, run.training_name),
                validation_file=sent.file(run.validation, run.validation_name) if run.validation else None,
                method=run.method,
                suffix=run.job.suffix,
                **({} if run.job.seed is None else {"seed": run.job.seed}),
            )
            body = wanted.model_dump(mode="json", exclude_unset=True)
            plans.append(Plan.model_validate(agent.ask("POST", "/v1/fine_tuning/plans", body)))
        except (AgentError, ValidationError) as error:
            sent.take_back()
            why = str(error.errors()[0]["msg"]) if isinstance(error, ValidationError) else error.message
            code = ErrorCode.invalid_request if isinstance(error, ValidationError) else error.code
            raise AgentError(
                _("Job {id} cannot run here, so nothing was planned. {why}", id=run.job.id, why=why), code=code
            ) from error
        except BaseException:
            sent.take_back()
            raise
    return plans


def _told(run: ExportedRun, plan: Plan) -> str:
    """Return what a job was, and what it will be here."""
    job, settings = run.job, run.method.hyperparameters.model_dump(exclude_unset=True)
    asked = (
        ", ".join(
            f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in settings.items()
        )
        or "auto"
    )
    gib = [decimal(mib / 1024, 1) for mib in (plan.memory_mib.low, plan.memory_mib.high)]
    lines = [
        _("{id}: {model}, {method}, {asked}", id=job.id, model=job.model, method=run.method.type, asked=asked),
        _("  here: {model} becomes “{name}”, seed {seed}", model=plan.model, name=plan.suffix, seed=plan.seed),
        _("  rows: {train} train, {held} are held out", train=grouped(plan.train_rows),
          held=grouped(plan.validation_rows + plan.test_rows)),
        ngettext("  takes: {n} step, {low} to {high} minutes, {least} to {most} GiB of {kind} on {device}",
                 "  takes: {n} steps, {low} to {high} minutes, {least} to {most} GiB of {kind} on {device}",
                 plan.steps, low=decimal(plan.minutes.low, 0), high=decimal(plan.minutes.high, 0), least=gib[0],
                 most=gib[1], kind=plan.memory_kind, device=plan.device),
    ]  # fmt: skip
    if settings.get("learning_rate_multiplier", "auto") != "auto":
        lines.append(
            _("  note: learning_rate_multiplier counts from the rate that is usual for {model}", model=plan.model)
        )
    if job.integrations:
        lines.append(_("  note: its integrations are left out, since nothing is sent to trackers from here"))
    if job.metadata:
        lines.append(_("  metadata: {keys}, kept with the job", keys=", ".join(job.metadata)))
    return "\n".join([*lines, *(_("  note: {note}", note=note) for note in plan.notes)])


def _start(agent: RunningAgent, runs: Sequence[ExportedRun], plans: Sequence[Plan]) -> None:
    for run, plan in zip(runs, plans, strict=True):
        body = {"plan": plan.id, "metadata": run.job.metadata or None}
        job = Job.model_validate(agent.ask("POST", "/v1/fine_tuning/jobs", body))
        print(
            _("Job #{number} is in the queue: {name}, from {id}.", number=job.number, name=plan.suffix, id=run.job.id)
        )


def _start_command(given: argparse.Namespace) -> str:
    words = ["hearth-agent", "import-openai", str(given.folder)]
    words += ["--model", given.model] if given.model != PACKAGED else []
    words += ["--job", given.job] if given.job else []
    return shlex.join([*words, "--start"])
