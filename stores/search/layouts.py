"""A scanner types as a keyboard: set to the American layout on a Norwegian machine, its signs come out as others."""

# What a Norwegian machine shows for the key that an American keyboard has the other sign on.
_SHOWN = "+?\\`åÅ¨^'*øØæÆ;:-_\"¤&/()=|"
_MEANT = "-_=+[{]}\\|;:'\"<>/?@$^&*()`"
_MEANING = str.maketrans(_SHOWN, _MEANT)
_GIVEAWAYS = frozenset("+?\\`åÅøØæÆ_")
"""Signs that references do not have and that such a scanner makes of `-`, `=`, `:`, `;`, quotes and brackets."""


def as_us_scanner_meant(text: str) -> list[str]:
    """The text as an American keyboard would have typed it, or nothing where nothing points to that."""
    return [text.translate(_MEANING)] if _GIVEAWAYS & set(text) else []
