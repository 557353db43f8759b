"""What names have in common that may be one: how they read once all that is often written in two ways is left out.

That two names read alike is for a person to look at: companies of one family, and offices of two towns, may do so too.
"""

from __future__ import annotations

from unicodedata import combining, normalize

from chalicelib.search.awards import WORD

# Letters of other alphabets that look like Latin ones, and Latin ones that have no simpler form in Unicode. Which case
# they had is lost by then, so a letter stands for what it looks like as a capital, as in most names here.
# The Cyrillic and Greek ones are from Unicode's confusables.txt (UTS 39).
_LOOK_ALIKES = str.maketrans(
    dict(zip("авекмнорстухѕіјԁһԛԝӏ", "abekmhopctyxsijdhqwl", strict=True))
    | dict(zip("αβεζηικμνορτυχ", "abezhikmnoptyx", strict=True))
    | dict(zip("øłđı", "oldi", strict=True))
    | {"æ": "ae", "œ": "oe", "&": " and "}
)
# How a name ends because of what kind of company it is.
_LEGAL_FORMS = frozenset(
    ("inc", "incorporated", "corp", "corporation", "co", "company", "ltd", "limited", "llc", "opc")
)


def likeness(name: str) -> str:
    """What names that read alike share: letters and digits without case, accents, blanks, punctuation and legal forms.

    A name of which nothing is left is like no other one. Cost: linear in its length.
    """
    letters = "".join(letter for letter in normalize("NFKD", name.casefold()) if not combining(letter))
    words = WORD.findall(letters.casefold().translate(_LOOK_ALIKES))
    kept = len(words)
    while kept > 1 and words[kept - 1] in _LEGAL_FORMS:
        kept -= 1
    return "".join(words[:kept]) or name
