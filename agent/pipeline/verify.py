"""Stage 7: the exported file, loaded by llama.cpp in a child, must be the trained model."""

import logging
import subprocess
import sys
import time
from dataclasses import dataclass

from agent.data.template_habits import CLOSE
from agent.errors import AgentError
from agent.export.merge import MergeTarget
from agent.export.verify_child import VerifyReply, VerifyRequest
from agent.job_folder.durable import replace_file
from agent.pipeline.context import Context
from agent.pipeline.evaluation import Evaluation, read_evaluation
from agent.pipeline.export import export_gguf
from agent.pipeline.prepare import base_card, read_character
from agent.pipeline.verified import VERIFIED_FILE, Verified
from shared.errors import ErrorCode
from shared.language import _, decimal
from shared.results import Verification

logger = logging.getLogger(__name__)

LIMIT_S = 1800.0
ALL_LAYERS = 999
NEEDED_SHARE = 0.75  # of the held-out answers: six of eight


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One merge target, and what llama.cpp made of it."""

    target: MergeTarget
    reply: VerifyReply

    @property
    def verification(self) -> Verification:
        """Return what the report says of it."""
        return Verification(
            prompts=len(self.reply.texts),
            agreed=self.reply.agreed,
            undecided=self.reply.undecided,
            merge_target=self.target,
            template_tokens_equal=self.reply.template_tokens_equal,
            stops=self.reply.stops,
            tool_calls=self.reply.tool_calls,
            tools_as_trained=self.reply.tools_as_trained,
        )


def run(context: Context) -> None:
    """Write report/verified.json. Raises AgentError when the exported model is not the trained one."""
    evaluation = read_evaluation(context)
    target = context.spec.settings.held_in
    trial = Trial(target=target, reply=ask_llama_cpp(context, evaluation))
    tried_both = not enough_agree(trial.verification) and target != "original"
    if tried_both:
        trial = _try_other(context, evaluation, trial)
    added = {"second_try": tried_both, "thoughtful": _thoughtful(context, trial.reply.texts)}
    verification = trial.verification.model_copy(update=added)
    verified = Verified(verification=verification, tuned_texts=trial.reply.texts)
    replace_file(context.folder.report / VERIFIED_FILE, verified.model_dump_json().encode())
    refuse_if_different(verification, trial.reply.difference)


def _thoughtful(context: Context, texts: list[str]) -> int | None:
    """Return how many answers came with thoughts; None where that was not trained, or does not show."""
    if not read_character(context.folder).thinks or CLOSE not in base_card(context).chat_template:
        return None
    return sum(CLOSE in text for text in texts)


def refuse_if_different(verification: Verification, difference: str | None) -> None:
    """Raise AgentError when the exported model is not the trained one."""
    kept = _("The adapter is kept; the log has the details: /log.")
    if verification.template_tokens_equal is False:
        raise AgentError(
            _(
                "In llama.cpp the chat template gives other tokens than in training ({difference}), so "
                "the exported model would answer badly. {kept}",
                difference=difference,
                kept=kept,
            ),
            code=ErrorCode.verification_failed,
        )
    if not enough_agree(verification):
        raise AgentError(
            _(
                "Only {agreed} of {prompts} answers of the exported model equal the trained model's, so "
                "it is not handed out. {kept}",
                agreed=verification.agreed,
                prompts=verification.prompts,
                kept=kept,
            ),
            code=ErrorCode.verification_failed,
        )
    if not verification.stops:
        raise AgentError(
            _("The exported model does not end its answers where the trained model does. {kept}", kept=kept),
            code=ErrorCode.verification_failed,
        )


def ask_llama_cpp(context: Context, evaluation: Evaluation) -> VerifyReply:
    """Load the GGUF in a child and compare. Raises AgentError when it does not load, or the child dies."""
    if context.spec.device != "cuda":
        return _ask(context, evaluation, gpu_layers=0)
    try:
        return _ask(context, evaluation, gpu_layers=ALL_LAYERS)
    except AgentError:
        logger.exception("llama.cpp does not run the model on the GPU; once more on the processor")
        return _ask(context, evaluation, gpu_layers=0)


def _ask(context: Context, evaluation: Evaluation, *, gpu_layers: int) -> VerifyReply:
    request = VerifyRequest(
        gguf=str(context.gguf),
        answers=evaluation.tuned_answers,
        max_new_tokens=evaluation.max_new_tokens,
        threads=context.spec.threads,
        gpu_layers=gpu_layers,
    )
    child = subprocess.Popen(
        [sys.executable, "-m", "agent.export.verify_child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        output = _answer_of(child, request.model_dump_json().encode(), context)
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
    context.check_wishes()  # who ends this process may have ended the child with it
    if child.returncode != 0:
        raise AgentError(
            _(
                "llama.cpp does not load or run the exported model (exit {code}). The adapter is "
                "kept; the log has the details: /log.",
                code=child.returncode,
            ),
            code=ErrorCode.verification_failed,
        )
    return VerifyReply.model_validate_json(output)


def _answer_of(child: "subprocess.Popen[bytes]", request: bytes, context: Context) -> bytes:
    """Wait for the child, hearing the agent's wishes meanwhile. Raises AgentError after LIMIT_S."""
    deadline = time.monotonic() + LIMIT_S
    given: bytes | None = request
    while time.monotonic() < deadline:
        try:
            return child.communicate(given, timeout=1.0)[0]
        except subprocess.TimeoutExpired:
            given = None  # it was sent the first time
            context.tick()
    raise AgentError(
        _(
            "llama.cpp took longer than {minutes} min with the exported model. The adapter is kept.",
            minutes=decimal(LIMIT_S / 60, 0),
        ),
        code=ErrorCode.verification_failed,
    )


def enough_agree(verification: Verification) -> bool:
    """Tell whether three quarters of the answers agree.

    A small model is often of two minds, and Q8_0 moves each weight by its last bits. So an answer that parts where the
    trained model found both words as likely is no evidence against the export, and counts as agreeing.
    """
    return verification.agreed + verification.undecided >= NEEDED_SHARE * verification.prompts


def _try_other(context: Context, evaluation: Evaluation, first: Trial) -> Trial:
    """Merge onto the 16-bit weights instead, and keep whichever agrees better."""
    export_gguf(context, "original")
    second = Trial(target="original", reply=ask_llama_cpp(context, evaluation))
    if rank(second.verification) > rank(first.verification):
        return second
    export_gguf(context, first.target)
    return first


def rank(verification: Verification) -> tuple[bool, bool, int]:
    """Return what makes one export better than another, the most important first."""
    return (
        enough_agree(verification),
        verification.stops,
        verification.agreed + verification.undecided,
    )
