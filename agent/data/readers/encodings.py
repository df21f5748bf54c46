"""Which encoding bytes are in that are not UTF-8, where their text leaves no doubt. Pure.

Beyond ASCII a text must have the letters of one language, the signs that people type, and both where they belong: no
quote inside a word, no capital behind a small letter. Two encodings that fit as well must give the same text.
"""

import re

ENOUGH = 8  # characters beyond ASCII; fewer are a damaged byte, or somebody's name
DIFFERENT = 3  # of them; one or two say enough only for the commonest encoding, the first
OF_ONE_LANGUAGE = 0.95  # of the letters; the others are of names and words from elsewhere
WEST = ("äöüßéèà", "àâæçéèêëîïôœùûüÿ", "áéíñóúüç", "áâãàçéêíóôõúü", "àèéìíîòóùú", "ëïéèöüáóíêç", "åäöéü", "æøåéöä",
        "àçéèíïóòúü", "éèêëïîçñöüáíóàâ")  # de fr es pt it nl sv/fi da/no ca en  # fmt: skip
WINDOWS = {  # by encoding, the letters of languages written in it
    "windows-1252": WEST,
    "windows-1250": ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíľĺňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čćđšž"),
    "windows-1254": ("çğıöşüâîi̇",),
    "windows-1257": ("ąčęėįšųūž", "āčēģīķļņšūž", "äöüõšž"),
}
OLDER = {"iso-8859-15": WEST, "cp850": WEST, "mac-roman": WEST}  # asked only where nothing of Windows fits
IN_WORDS = "’–—·\xad"
SIGNS = frozenset("„“”‚‘«»‹›…€£§°•®©™²³½¼¾µ×±¿¡ªº\xa0´" + IN_WORDS)
_BEYOND = re.compile(r"[^\x00-\x7f]")
_INSIDE = re.compile(rf"[^\W\d_](?!\w|[{IN_WORDS}])[^\x00-\x7f](?=[^\W\d_])|[²³ªºµ](?=[^\W\d_])|[^\W\d_]§")
_CASE = re.compile(r"(?<!\\)[^\W\d_][^\W\d_]")  # a backslash: JSON's \n before a word
_RUN = re.compile(r"(?:(?![\x00-\x7f])[^\W\d_]){4}")  # of a script other than Latin
MOST = 0.4  # of a text in Latin letters is beyond ASCII
ODD = 0.02  # of the characters may be where they do not belong


def certain_encoding(sample: bytes) -> str | None:
    """Return the encoding of bytes that are not UTF-8, or None where another one may be meant."""
    for candidates in (WINDOWS, OLDER):
        fits = {name: fit for name, languages in candidates.items() if (fit := _fit(sample, name, languages))}
        best = [name for name, fit in fits.items() if fit == max(fits.values())]
        if best:
            beyond = bytes(set(sample) - set(range(128)))
            same = len({beyond.decode(name, "replace") for name in best}) == 1
            return best[0] if same else None
    return None


def _fit(sample: bytes, name: str, languages: tuple[str, ...]) -> float:
    """Return which part of the letters is of one of the languages; 0.0: it is no text in this encoding."""
    try:
        text = sample.decode(name)
    except UnicodeDecodeError:
        return 0.0
    beyond = _BEYOND.findall(text)
    letters = [char.lower() for char in beyond if char.isalpha() and char not in SIGNS]
    odd = len(_INSIDE.findall(text)) + len(_RUN.findall(text))
    odd += sum(pair[0].islower() and pair[1].isupper() and not pair.isascii() for pair in _CASE.findall(text))
    few = not ENOUGH <= len(beyond) <= MOST * len(text) or (name != "windows-1252" and len(set(beyond)) < DIFFERENT)
    if few or odd > ODD * len(beyond) or not SIGNS.issuperset(c for c in beyond if not c.isalpha()):
        return 0.0
    share = max(sum(char in alphabet for char in letters) / max(1, len(letters)) for alphabet in languages)
    return (share if letters else 1.0) if share >= OF_ONE_LANGUAGE or not letters else 0.0
