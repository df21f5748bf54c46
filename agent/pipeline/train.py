"""Stage 4: train, look at the held-out rows on the way, stop when they get worse, keep the best weights."""

import math
import time
from typing import Any

from transformers import TrainerCallback

from agent.adapting.revision import take_rate
from agent.job_folder.checkpoint_files import Checkpoint, Counts, damage, read_counts
from agent.job_folder.steering import EPOCH, NOW, finish_wish, rate_wish
from agent.machine.gpu import read_machine
from agent.methods.table import METHODS
from agent.pipeline.adapter import hand_out_adapter
from agent.pipeline.checkpoint_writer import RngState
from agent.pipeline.context import Context
from agent.pipeline.divergence import Divergence
from agent.pipeline.held_out import measure
from agent.pipeline.load import loaded_model
from agent.pipeline.meter import SpeedMeter, peak_memory_mib
from agent.pipeline.objectives import Objective, objective_of
from agent.pipeline.reference import keep_reference, read_examples
from agent.pipeline.resume import find_resume
from agent.pipeline.saver import Saver
from agent.pipeline.trainer import HearthTrainer, make_trainer
from shared.events import EvaluationData, ProgressData, StageData
from shared.jobs import Stage
from shared.language import _


def run(context: Context) -> None:
    """Train, and leave the best weights in adapter/. Raises AgentError, Cancelled, Stopped."""
    model = loaded_model(context)
    objective = objective_of(context)
    size = context.spec.settings.per_device_train_batch_size
    keep_reference(context.folder, model, objective, batch_size=size, tick=context.tick)
    watcher = Watcher(context, objective)
    trainer = watcher.trainer = watched_trainer(context, watcher)
    resume = find_resume(context)
    if resume is not None:
        watcher.restore(resume)
    if resume is None or not (resume.step >= trainer.all_steps or watcher.is_done(resume.step)):
        trainer.train(resume_from_checkpoint=str(resume.path) if resume else None)
    else:
        model.restore_adapter(resume.path)  # it was killed between its last checkpoint and the end of this stage
    if watcher.best is not None and damage(watcher.best) is None:
        model.restore_adapter(watcher.best.path)
    elif watcher.best is not None:
        said = _(
            "The best weights, of step {step}, are not on disk any more; the last ones are kept.",
            step=watcher.best.step,
        )
        context.log.write(said, StageData(stage=Stage.train, done=False), level="warn")
    model.save_adapter(context.folder.adapter)
    hand_out_adapter(context, context.folder.adapter)


def watched_trainer(context: Context, watcher: "Watcher") -> HearthTrainer:
    """Build the job's trainer; saving, evaluating and stopping are the watcher's."""
    return make_trainer(context, read_examples(context.folder, "train", watcher.objective), watcher.objective, watcher)


class Watcher(TrainerCallback):  # type: ignore[misc]
    """Reports each step, evaluates, keeps checkpoints, stops early, stops when the agent asks for it."""

    trainer: HearthTrainer

    def __init__(self, context: Context, objective: Objective) -> None:
        self._context = context
        self.objective = objective
        self._validation = read_examples(context.folder, "validation", objective)
        self.best: Checkpoint | None = None
        self._metric = METHODS[context.spec.method].metric
        self.best_loss = self._metric.worst
        self._bad_evaluations = 0
        self._train_loss: float | None = None
        self._divergence = Divergence(scaled=False)
        self._meter = SpeedMeter()
        self._saver = Saver(context)
        self._last_report = 0.0
        self._rng_state: RngState | None = None  # as it was when the step began
        self._tokens_before = 0

    def restore(self, checkpoint: Checkpoint) -> None:
        """Take up the counts where a checkpoint left them."""
        counts = read_counts(checkpoint)
        self.best_loss = counts.best_loss if counts.best_loss is not None else self._metric.worst
        self._bad_evaluations = counts.bad_evaluations
        self._saver.saved_step = checkpoint.step
        self.trainer.trained_tokens = counts.trained_tokens
        if counts.best_step is not None:
            best = self._context.folder.checkpoints / f"step-{counts.best_step}"
            self.best = Checkpoint(step=counts.best_step, path=best)

    def is_done(self, step: int) -> bool:
        """Say whether the training ends behind a step that is on disk, before all steps were made."""
        return self.has_stopped_early() or self._is_asked_to_finish(step)

    def has_stopped_early(self) -> bool:
        """Say whether the held-out loss has been worse for long enough."""
        return self._bad_evaluations >= self._context.spec.settings.early_stopping_patience

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Measure the untrained model, so that the plot shows where it came from."""
        self._meter.start()
        self._divergence = Divergence(scaled=args.fp16)
        if state.global_step == 0:
            self._evaluate(state)

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Note where the random numbers stand, so that a step left half way is done again exactly."""
        self._rng_state = RngState.now() if args.gradient_accumulation_steps > 1 else None  # else no step is broken off
        self._tokens_before = self.trainer.trained_tokens

    def on_substep_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Look within a step too whether the agent asks for an end: on a slow machine one may take minutes."""
        if self._context.asked_to_stop():
            self._leave(state)
        self._context.tick()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Note the step. Raises Cancelled; a pause is obeyed when the step has been reported."""
        self._context.pulse.beat(step=state.global_step)
        self._context.trained_steps = state.global_step
        self._meter.step(self.trainer.real_tokens)
        self._rng_state = None
        if self._context.folder.cancel_request.exists():
            self._context.check_wishes()

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **kwargs: Any) -> Any:
        """Report the step that just ended (each is logged); evaluate, save, stop early, leave, where that is due.

        Raises Cancelled, Stopped, DiskFull.
        """
        if not logs or "loss" not in logs:
            return control
        loss = float(logs["loss"])
        self._divergence.note(state.global_step, loss, logs.get("grad_norm"), args.learning_rate)
        self._train_loss = _finite(loss)
        self._report(state, logs)
        step, ends = state.global_step, self._is_asked_to_finish(state.global_step)
        if ends or step % self._context.spec.settings.eval_steps == 0 or step >= state.max_steps:
            improved, loss = self._evaluate(state)
            self._bad_evaluations = 0 if improved else self._bad_evaluations + 1
            self._save(state, valid_loss=loss)
            if ends or self.has_stopped_early():
                control.should_training_stop = True
            if ends:
                said = _("Ended at step {step}, as asked.", step=step)
                self._context.log.write(said, StageData(stage=Stage.train, done=False, detail=said))
        elif self._saver.is_due() or self._context.folder.checkpoint_request.exists():
            self._save(state, valid_loss=None)
        self._context.folder.checkpoint_request.unlink(missing_ok=True)  # tried once; what could not be saved was said
        self._take_rate()
        if self._context.asked_to_stop():
            self._leave(state)
        self._context.check_wishes()
        return control

    def _is_asked_to_finish(self, step: int) -> bool:
        wish = finish_wish(self._context.folder)
        return wish == NOW or (wish == EPOCH and step % self.trainer.steps_an_epoch == 0)

    def _take_rate(self) -> None:
        rate = rate_wish(self._context.folder)
        if rate is None:
            return
        adapted = take_rate(self._context.folder, rate)
        if adapted is None:
            return
        self._context.spec = self._context.folder.read_spec()
        self.trainer.use_rate(rate)
        self._context.log.write(adapted.message, StageData(stage=Stage.train, done=False, detail=adapted.detail))

    def _evaluate(self, state: Any) -> tuple[bool, float]:
        assert self._context.model is not None
        with self._context.model.answering(adapter=True) as model:
            found = measure(
                model,
                self._validation,
                self.objective,
                batch_size=self._context.spec.settings.per_device_train_batch_size,
                tick=self._context.tick,
            )
        loss = found.loss
        self._meter.pause_until_now()
        improved = self._metric.improved(loss, self.best_loss)
        if improved and state.global_step > 0:
            self.best_loss = loss
            self.best = Checkpoint(
                step=state.global_step,
                path=self._context.folder.checkpoints / f"step-{state.global_step}",
            )
        finite = loss if math.isfinite(loss) else None
        self._context.log.write(
            f"Step {state.global_step}: held-out loss {loss:.3f}" + (", the best so far." if improved else "."),
            EvaluationData(
                step=state.global_step,
                split="validation",
                loss=finite,
                best_loss=self.best_loss if self.best else finite,
                best_step=self.best.step if self.best else state.global_step,
                accuracy=_finite(found.accuracy),
                margin=_finite(found.margin),
            ),
            type="metrics",
        )
        return improved, loss

    def _leave(self, state: Any) -> None:
        """Save the last whole step before the process ends, unless that is on disk already."""
        cancelled = self._context.folder.cancel_request.exists()
        if cancelled or state.global_step in {0, self._saver.saved_step}:
            return
        if self._rng_state is not None:
            self._rng_state.restore()
            self.trainer.trained_tokens = self._tokens_before
        self._save(state, valid_loss=None)

    def _save(self, state: Any, *, valid_loss: float | None) -> None:
        best_step = self.best.step if self.best else None
        counts = Counts(
            best_loss=self.best_loss if math.isfinite(self.best_loss) else None,
            best_step=best_step,
            bad_evaluations=self._bad_evaluations,
            trained_tokens=self.trainer.trained_tokens,
        )
        try:
            self._saver.save(self.trainer, counts, train_loss=self._train_loss, valid_loss=_finite(valid_loss))
        finally:
            self._meter.pause_until_now()

    def _report(self, state: Any, logs: dict[str, float]) -> None:
        now = time.monotonic()
        if now - self._last_report < self._context.spec.progress_every_s and state.global_step < state.max_steps:
            return
        self._last_report = now
        remaining = state.max_steps - state.global_step
        step_s = self._meter.seconds_a_step
        self._context.log.write(
            f"Step {state.global_step} of {state.max_steps}.",
            ProgressData(
                step=state.global_step,
                total_steps=state.max_steps,
                epoch=round(state.epoch or 0.0, 3),
                n_epochs=self._context.spec.settings.n_epochs,
                loss=self._train_loss,
                learning_rate=_finite(logs.get("learning_rate")),
                grad_norm=_finite(logs.get("grad_norm")),
                tokens_per_s=self._meter.tokens_a_second,
                memory_mib=peak_memory_mib(self._context.spec.device),
                temperature_c=_temperature(self._context),
                eta_s=round(remaining * step_s) if step_s is not None else None,
                trained_tokens=self.trainer.trained_tokens,
            ),
            type="metrics",
        )


def _temperature(context: Context) -> int | None:
    return read_machine(context.folder.path).temperature_c if context.spec.device == "cuda" else None


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
