"""Names that people give to cells without a label, in whatever spelling and in several languages.

A name is taken apart into its words: without case, accents, numbers, what stands in brackets, and
words that add nothing, such as "cells".
"""

from __future__ import annotations

import re
import unicodedata
from difflib import get_close_matches

# that no name was given: "not assigned", "unlabeled", "no annotation"
_NOT = r"(?:un|not|non|no|none|never|without|wo|nicht|ohne|nao|sem|sin|sans|niet|keine?)"
_NAMED = (
    r"(?:label+ed|labels?|assigned|assignments?|annotat(?:ed|ions?|able)|classifi(?:ed|able|cation)"
    r"|categori[sz]ed|defined|determined|identifi(?:ed|able)|characteri[sz]ed|specified|resolved"
    r"|known|named|typed|mapped|matched|match|call(?:ed)?|hits?|available|applicable|provided"
    r"|reported|collected|sure|certain|clear|decided|scored"
    r"|zugeordnet|zugewiesen|annotiert|klassifiziert|bestimmt|bekannt|angabe"
    r"|assignee?|annotee?|attribuee?|classee?|etiquet(?:te|a)|asigna(?:do|da|r)|anota(?:do|da|r)"
    r"|clasificad[oa]|assegnat[oa]|annotat[oa]|classificat[oa]|atribuid[oa]|classificad[oa]|rotulo"
    r"|anotado|toegewezen|geannoteerd)"
)
_NOT_NAMED = re.compile(f"{_NOT}{_NAMED}")
_WORDS = frozenset(
    {"na", "nan", "nat", "none", "null", "nil", "void", "missing", "missingvalue", "nd"}
    | {"unk", "unkn", "undef", "unclear", "unsure", "uncertain", "rejected", "tbd", "tba", "todo"}
    | {"tobedetermined", "tobeannotated", "blank", "empty", "unknowns", "indetermined"}
    # German, French, Spanish, Italian, Portuguese
    | {"unbekannt", "unbekannte", "fehlt", "fehlend", "leer", "inconnu", "inconnue", "indetermine"}
    | {"indeterminee", "aucun", "aucune", "manquant", "desconocido", "desconocida", "ninguno"}
    | {"ninguna", "indeterminado", "indeterminada", "sconosciuto", "sconosciuta", "ignoto"}
    | {"nessuno", "indeterminato", "desconhecido", "desconhecida", "nenhum", "nenhuma"}
    # Dutch, Danish, Norwegian, Swedish, Finnish, Polish, Czech, Hungarian, Romanian, Turkish
    | {"onbekend", "ukendt", "ukjent", "okand", "okant", "tuntematon", "nieznany", "nieznane"}
    | {"nieznana", "nieprzypisany", "neznamy", "nezname", "neznama", "ismeretlen", "necunoscut"}
    | {"bilinmeyen", "tidakdiketahui", "khôngxácđịnh"}
    # Russian, Ukrainian, Greek, Hebrew, Arabic, Hindi
    | {"неизвестно", "неизвестныи", "неизвестная", "неизвестные", "неопределено", "нетданных"}
    | {"невідомо", "невідомии", "αγνωστο", "αγνωστος", "לאידוע", "غيرمعروف", "अज्ञात"}
    # Chinese, Japanese, Korean
    | {
        "未知",
        "不明",
        "无",
        "無",
        "未定",
        "未标注",
        "未标记",
        "未分类",
        "未注释",
        "未知细胞",
        "未標註",
    }
    | {
        "未分類",
        "未知細胞",
        "不明細胞",
        "なし",
        "ラベルなし",
        "未割当",
        "알수없음",
        "미지정",
        "미분류",
        "없음",
    }
)
# misspelled more often than not
_LONG = ("unknown", "unassigned", "unlabeled", "unannotated", "unclassified", "undetermined")
_LIKE = 0.85
_SHORT = 2
# words beside such a name that add nothing to it: "unknown cells 2", "unassigned (low quality)"
_BESIDE = frozenset(
    {"cell", "cells", "celltype", "celltypes", "type", "types", "cluster", "clusters", "yet", "b"}
    | {"category", "value", "label"}
)


def means_no_label(name: str) -> bool:
    """Whether a class is called like what people call cells without a label."""
    plain = unicodedata.normalize("NFKC", name).casefold().strip()
    if plain in ("-1", "-1.0"):
        return True
    if not any(letter.isalnum() for letter in plain):
        return "+" not in plain
    outside = re.sub(r"\(.*?\)|\[.*?\]", " ", plain)
    if "+" in outside:
        return False  # a marker, such as Na+
    words = [word for word in _split(outside) if word not in _BESIDE]
    return _is_none(_split(plain), plain) or _is_none(words, outside)


def _split(text: str) -> list[str]:
    """Find runs of letters."""
    return re.findall(r"[^\W\d_]+", _letters(text))


def _letters(text: str) -> str:
    """Text without accents and what nobody sees, in the letters of Korean as they are written."""
    if text.isascii():
        return text
    bare = [c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) not in _UNSEEN]
    return unicodedata.normalize("NFC", "".join(bare))


_UNSEEN = ("Mn", "Cf")


def _is_none(words: list[str], text: str) -> bool:
    said = "".join(words)
    if len(said) <= _SHORT and any(letter.isdigit() for letter in text):
        return False  # ND1 is a gene
    if said in _NONE or _NOT_NAMED.fullmatch(said):
        return True
    if words and all(word in _NONE for word in words):
        return True
    return (
        words == [said] and said.startswith("un") and bool(get_close_matches(said, _LONG, 1, _LIKE))
    )


_NONE = frozenset("".join(_split(word)) for word in _WORDS)
