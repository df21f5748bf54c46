"""Encodings other than UTF-8: told where a text leaves no doubt, and never told wrong."""

import pytest

from agent.data.readers.encodings import certain_encoding

GERMAN = "Wo finde ich die Größe? Sie steht auf dem Schild „Maße“ für Käufer, das wäre schön. Über Ärger – nö."
CERTAIN = {
    GERMAN: "cp1252 latin-1 cp850 mac-roman iso8859-15 cp1250",
    "für Tür Müll über fünf Süß Grün Mühe kühl dünn": "cp1252 latin-1",
    "Où est le café? C’est très près de l’hôtel, à gauche, après la forêt. Ça va? À bientôt": "cp1252 cp850 mac-roman",
    "¿Dónde está el niño? Mañana sí, señor; está aquí con más años y el corazón": "cp1252 cp850 mac-roman",
    "Hvad er det? Rødgrød med fløde på åen, æbler og søer æder også": "cp1252 cp850 mac-roman",
    "He said “hello” and it’s “fine” — don’t worry, she’s “ok”… that’s the “end”": "cp1252 mac-roman",
    "Gdzie jest źródło? Łódź, żółty, więc są ćmy i śnieg; chcę być mąż": "cp1250",
    "Kde je příští účet? Žlutý kůň běží přes řeku, děkuji, že můžete": "cp1250",
    "Nerede çalışıyorsun? İyi günler, teşekkür ederim, ağaç, ışık, şöyle": "cp1254",
}
DOUBTFUL = {
    "für Tür Müll über fünf Süß Grün Mühe kühl dünn": "mac-roman cp850",  # only two letters
    "Gdzie jest źródło? Łódź, żółty, więc są ćmy i śnieg; chcę być mąż": "iso8859-2 cp852",
    "Где находится магазин? Он там, за углом": "cp1251 koi8-r cp866",
    "Πού είναι το κατάστημα; Είναι εκεί": "cp1253",
    "店はどこですか。角を曲がったところです": "shift-jis euc-jp",
    "商店在哪里？在拐角处。谢谢您的帮助": "gbk",
    "One café": "cp1252",  # one byte may be anything
}


@pytest.mark.parametrize("text", CERTAIN, ids=lambda text: text[:12])
def test_what_leaves_no_doubt_is_told(text: str) -> None:
    for encoding in CERTAIN[text].split():
        data = text.encode(encoding, "ignore")  # older ones have no quotes
        found = certain_encoding(data)
        assert found is not None, encoding
        assert data.decode(found) == data.decode(encoding)


@pytest.mark.parametrize("text", DOUBTFUL, ids=lambda text: text[:12])
def test_what_may_be_several_is_not_told(text: str) -> None:
    assert [it for it in DOUBTFUL[text].split() if certain_encoding(text.encode(it)) is not None] == []
