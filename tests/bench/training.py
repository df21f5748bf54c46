"""Training: real tokens a second, memory and held-out loss against a plain TRL script and against a bare loop.

Same model, settings and rows; each side has its own order. Loss and gradient norm on the same four batches.
"""

from collections.abc import Iterator

from tests.bench.figure import Bar, Figure
from tests.bench.job import BenchJob, in_turns, measure

SHORT = 128  # tokens: a dataset whose median row has no more is short
TRL, BARE = "plain TRL script", "bare loop"


def run(job: BenchJob, rounds: int) -> Iterator[Figure]:
    """Measure training. Minutes a round."""
    found = in_turns(job.folder, ("ours_train", "trl_train", "bare_loop"), rounds)
    ours, trl, bare = found["ours_train"], found["trl_train"], found["bare_loop"]
    short = job.median_tokens <= SHORT
    speed = Bar(limit=1.5 if short else 1.0, kind="at least", of="ratio")
    rows = f"{'short' if short else 'longer'} rows, median {job.median_tokens} tokens"
    yield Figure(
        what=f"training, {rows}", ours=ours["tokens_per_s"], unit="real tokens/s", theirs=trl["tokens_per_s"],
        against=TRL, bar=speed,
    )  # fmt: skip
    yield Figure(
        what="training, and all its evaluations and checkpoints, which the script has none of",
        ours=ours["stage_tokens_per_s"], unit="real tokens/s", theirs=trl["tokens_per_s"], against=TRL,
        bar=Bar(limit=1.0, kind="at least", of="ratio"),
    )  # fmt: skip
    yield Figure(
        what="training", ours=ours["tokens_per_s"], unit="real tokens/s", theirs=bare["tokens_per_s"], against=BARE
    )
    for against, theirs in ((TRL, trl), (BARE, bare)):
        yield Figure(
            what="training, peak memory of the process tree", ours=ours["peak_mib"], unit="MiB",
            theirs=theirs["peak_mib"], against=against,
        )  # fmt: skip
    yield Figure(
        what="held-out loss after training", ours=ours["held_out_loss"], unit="nats/token",
        theirs=trl["held_out_loss"], against=TRL, bar=Bar(limit=1.02, of="ratio"),
    )  # fmt: skip
    yield Figure(
        what="held-out loss after training", ours=ours["held_out_loss"], unit="nats/token",
        theirs=bare["held_out_loss"], against=BARE,
    )  # fmt: skip
    equal = measure(job.folder, "fixed_batches")
    yield Figure(
        what=f"loss on four fixed batches (TRL: {equal['loss']:.4f}), largest difference from plain TRL",
        ours=equal["loss_difference"], unit="nats/token", bar=Bar(limit=1e-4),
    )  # fmt: skip
    yield Figure(
        what=f"gradient norm on four fixed batches (TRL: {equal['grad_norm']:.4f}), largest difference from plain TRL",
        ours=equal["grad_norm_difference"], unit="", bar=Bar(limit=1e-4),
    )  # fmt: skip
