"""What the fake agent says of every dataset, plan, job and model."""

from shared.hyperparameters import ResolvedSettings
from shared.plans import Setting
from shared.results import Advice, Answer, JobResult, Verification

KEY = "a-key-for-tests"
NOW = 1_790_000_000
PNG = b"\x89PNG\r\n\x1a\nnot a real picture"
ALT_TEXT = "Loss of toast over 45 steps: start 2.91, now 1.02, best on held-out rows 1.43 at step 40."

SETTINGS = ResolvedSettings(
    n_epochs=5, batch_size=8, per_device_train_batch_size=4, gradient_accumulation_steps=2, learning_rate=2e-4, r=16,
    lora_alpha=32, lora_dropout=0.05, target_modules="all-linear", load_in_4bit=True, max_length=512, warmup_steps=4,
    lr_scheduler_type="cosine", weight_decay=0.0, early_stopping_patience=3, eval_steps=5,
    activation_checkpointing=False,
)  # fmt: skip
REASONS = [
    Setting(name="n_epochs", value="5", reason="Few rows: raised from 3, so that there are at least 40 steps."),
    Setting(name="batch_size", value="8", reason="Few rows: lowered from 16, so that there are more steps."),
    Setting(name="learning_rate", value="0.0002", reason="The usual rate for QLoRA on a small model."),
    Setting(name="r", value="16", reason="Enough for a style; more would need more rows."),
    Setting(name="eval_steps", value="5", reason="About nine looks at the held-out rows."),
]
RESULT = JobResult(
    verdict="It learned the style: its loss on rows it never saw fell by half.", base_loss=2.913, final_loss=1.434,
    best_step=40, best_validation_loss=1.43, steps=45, trained_tokens=29_000, train_seconds=161, tokens_per_s=212.4,
    peak_memory_mib=1130, optimistic=True,
    answers=[
        Answer(
            question="What is the best seat in the house?",
            base="The best seat in the house is a matter of personal taste.",
            tuned="The one with the sun on it. I tested it all morning. Five naps out of five.",
        ),
    ],
    advice=[
        Advice(
            rule="too_little_data", title="Few rows",
            message="104 rows are few; the loss on held-out rows rests on 10 of them.",
            suggestion="Add rows of the same kind: 200 make the figure steady.",
        ),
    ],
    verification=Verification(
        prompts=8, agreed=8, undecided=0, merge_target="nf4", template_tokens_equal=True, stops=True
    ),
    ollama_name="toast", gguf_bytes=2_000,
)  # fmt: skip
