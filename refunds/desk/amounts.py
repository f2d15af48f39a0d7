"""What people write for an amount of money, read exactly into minor units."""

import re

_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'"})
_CURRENCY = re.compile(r"^(?:kr\.?|nok|dkk|sek|eur|€)\s*|\s*(?:kr\.?|nok|dkk|sek|eur|€)$", re.IGNORECASE)
_WHOLE = re.compile(r"[.,]\s?[-–]$")  # "250,-" is how a price tag says 250,00
_AMOUNT = re.compile(
    r"(?P<major>[1-9][0-9]{0,2}(?P<group>[ .,'])[0-9]{3}(?:(?P=group)[0-9]{3})*|[0-9]+)"
    r"(?:(?P<point>[.,])(?P<minor>[0-9]{1,2}))?"
)
LONGEST = 24


def parse_amount(typed: str) -> int:
    """Minor units of "250", "250,00", "1 250,50", "250.00", "1.250,50", "kr 250,-".

    Raises ValueError for what cannot be read, or in two ways ("1.250" may be thousands or a slip of the finger); never
    goes through a float.
    """
    text = typed.translate(_SPACES).strip()
    if len(text) > LONGEST:
        raise ValueError("too long")
    text = _WHOLE.sub("", _CURRENCY.sub("", text).strip())
    match = _AMOUNT.fullmatch(text)
    if match is None or (match["point"] and match["point"] == match["group"]):
        raise ValueError("not an amount")
    if match["group"] in (",", ".") and text.count(match["group"]) == 1 and not match["point"]:
        raise ValueError("thousands or decimals")
    major = "".join(character for character in match["major"] if character.isdigit())
    return int(major) * 100 + int((match["minor"] or "0").ljust(2, "0"))
