"""The trainer: one process a job, from base model to a verified GGUF. Meets the agent only in the job folder."""
