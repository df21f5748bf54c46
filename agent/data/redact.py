"""Mask personal data and secrets in whatever is shown of somebody's dataset or model. Pure."""

import re

from shared.language import N_, _

PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        N_("private key"),
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    ),
    (
        N_("secret"),
        re.compile(r"\b(sk-[\w-]{16,}|gh[pousr]_\w{20,}|hf_\w{20,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16})"),
    ),
    (N_("secret"), re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{5,}")),
    (N_("e-mail"), re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")),
    (N_("card number"), re.compile(r"\b(?:\d[ -]?){13,18}\d\b")),
    (N_("phone number"), re.compile(r"(?<![\w.])\+\d[\d ()/-]{7,16}\d(?![\w])")),
    (N_("phone number"), re.compile(r"(?<![\w.-])\(?0\d{2,4}\)?[ /-]\d{3,4}[ -]?\d{2,8}(?![\w-])")),
    (N_("phone number"), re.compile(r"(?<![\w.-])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?![\w-])")),
)


def redact(text: str) -> str:
    """Return `text` with each find replaced by its kind in brackets: [e-mail]."""
    for kind, pattern in PATTERNS:
        text = pattern.sub(f"[{_(kind)}]", text)
    return text
