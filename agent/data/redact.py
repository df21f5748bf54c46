"""Mask personal data and secrets in whatever is shown of somebody's dataset or model. Pure."""

import re
from collections.abc import Iterator
from functools import partial

from shared.language import N_, _

SECRETS = frozenset({N_("private key"), N_("secret")})  # kinds that open something; the others are personal
PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        N_("private key"),
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    ),
    (
        N_("secret"),
        re.compile(
            r"\b(sk-[\w-]{16,}|[rs]k_live_\w{16,}|gh[pousr]_\w{20,}|github_pat_\w{22,}|glpat-[\w-]{20,}|hf_\w{20,}"
            r"|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|AIza[\w-]{35}|npm_\w{36})"
        ),
    ),
    # A JWT, with what stands before it in the same word: to begin at each "eyJ" of a word takes time by its square.
    (N_("secret"), re.compile(r"(?<![\w-])(?>(?:[\w-]*?-)??(?=eyJ))[\w-]{13,}+\.[\w-]{10,}+\.[\w-]{5,}+")),
    (N_("e-mail"), re.compile(r"(?<![\w.+-])[\w.+-]++@(?:[\w-]{1,63}\.)+[^\W\d_]{2,24}\b")),
    (N_("bank account"), re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")),
    (N_("card number"), re.compile(r"\b(?:3[47]\d{2}[ -]?\d{6}[ -]?\d{5}|[2-6]\d{3}([ -]?)\d{4}\1\d{4}\1\d{4})\b")),
    (N_("phone number"), re.compile(r"(?<![\w.])\+\d[\d ()/-]{7,16}\d(?![\w])")),
    (N_("phone number"), re.compile(r"(?<![\w.-])\(?0\d{2,4}\)?[ /-]\d{3,4}[ -]?\d{2,8}(?![\w-])")),
    (N_("phone number"), re.compile(r"(?<![\w.-])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?![\w-])")),
)
_KEYS = ("sk-", "_live_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "hf_", "xox", "AKIA", "AIza",
         "npm_", "eyJ", "-----BEGIN")  # fmt: skip
_DIGITS = re.compile(r"\d[\d ().+/-]{5,}\d")  # as many as the shortest phone number has


def _patterns_for(text: str) -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yield the patterns that are worth a slow look at a text; for most texts few are."""
    keys, mails, digits = any(key in text for key in _KEYS), "@" in text, _DIGITS.search(text) is not None
    for kind, pattern in PATTERNS:
        if keys if kind in SECRETS else mails if kind == "e-mail" else digits:
            yield kind, pattern


def _luhn(digits: str) -> bool:
    """Check the last digit that card numbers end with (ISO/IEC 7812)."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def _iban(text: str) -> bool:
    """Check the digits that bank accounts begin with (ISO 13616)."""
    turned = text[4:] + text[:4]
    return int("".join(str(int(char, 36)) for char in turned)) % 97 == 1


_PROOFS = {N_("card number"): _luhn, N_("bank account"): _iban}


def _is_real(kind: str, found: str) -> bool:
    proof = _PROOFS.get(kind)
    return proof is None or proof(re.sub(r"[ -]", "", found))


def personal_kinds(text: str) -> set[str]:
    """Return which kinds of personal data and secrets a text holds, by their English names; never what they are."""
    return {
        kind
        for kind, pattern in _patterns_for(text)
        if any(_is_real(kind, found.group()) for found in pattern.finditer(text))
    }


def redact(text: str) -> str:
    """Return `text` with each find replaced by its kind in brackets: [e-mail]."""
    for kind, pattern in _patterns_for(text):
        text = pattern.sub(partial(_masked, kind), text)
    return text


def _masked(kind: str, found: re.Match[str]) -> str:
    return f"[{_(kind)}]" if _is_real(kind, found.group()) else found.group()
