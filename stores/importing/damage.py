"""What spreadsheets do to references, amounts and times, recognised by its looks; pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# 1,23E+12 and 1.23456789012E+15: the digits behind are gone for good. Without the sign it may be a reference: 12E45678.
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?[eE][+-][0-9]{1,3}", re.ASCII)
# 250,00 and 1 250.00 and 1.250,00
_DECIMAL = re.compile(r"[0-9]{1,3}([ .,\u00a0\u202f']?[0-9]{3})*[.,][0-9]{1,2}", re.ASCII)
# 01.02.2026, 2/1/26 and 27-11-2026 14:05, also with seconds and am or pm.
_DATE = re.compile(
    r"[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{2,4}([ T][0-9]{1,2}[:.][0-9]{2}([:.][0-9]{2})?( ?[AaPp]\.?[Mm]\.?)?)?", re.ASCII
)
# Days since 1899, as a spreadsheet counts inside.
_SERIAL = re.compile(r"[0-9]{5}([.,][0-9]+)?", re.ASCII)
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
# As spreadsheets shorten them in English, Norwegian, Swedish, Danish and Finnish; never in capitals, which references like.
_MONTHS = (
    *("jan", "feb", "mar", "mars", "apr", "may", "mai", "maj", "jun", "june", "juni", "jul", "july", "juli", "aug", "sep"),
    *("sept", "oct", "okt", "nov", "dec", "des", "tammi", "helmi", "maalis", "huhti", "touko", "kesä", "heinä", "elo", "syys"),
    *("loka", "marras", "joulu"),
)
_MONTH = f"({'|'.join((*_MONTHS, *map(str.capitalize, _MONTHS)))})"
# 2026-10-01, 01.10.2026, 10/1/26, 01-10-2026, 1-Oct, 01.okt and 1. okt., Oct-26 and okt.26
_REFERENCE_DATES = (
    r"(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]",
    r"[0-9]{1,2}[./][0-9]{1,2}[./]([0-9]{2}|[0-9]{4})",
    r"[0-3]?[0-9]-[01]?[0-9]-(19|20)[0-9]{2}",
    rf"[0-3]?[0-9]([-/ ]|\. ?){_MONTH}\.?",
    rf"{_MONTH}([- ]|\. ?)[0-9]{{2}}",
)
_REFERENCE_DATE = re.compile("|".join(_REFERENCE_DATES))
_LEAST_OF_A_STYLE = 5


def is_scientific(cell: str) -> bool:
    """1,23E+12: a long number that was rounded."""
    return _SCIENTIFIC.fullmatch(cell) is not None


def is_decimal(cell: str) -> bool:
    """250,00: an amount in whole units of its currency, and not in hundredths."""
    return _DECIMAL.fullmatch(cell) is not None


def is_rewritten_date(cell: str) -> bool:
    """01.02.2026 or 2/1/26 or 46354,58: nobody can tell the day from the month, or the zone."""
    return (_DATE.fullmatch(cell) is not None and _ISO_DATE.match(cell) is None) or _SERIAL.fullmatch(cell) is not None


@dataclass(frozen=True, kw_only=True)
class ReferenceStyle:
    """How a store's references look, where that shows what they have lost: prefixes, and of these those that begin with a
    zero; a width of digits; whether there are any that look like dates."""

    prefixes: tuple[str, ...] = ()
    zero_prefixes: tuple[str, ...] = ()
    width: int = 0
    has_dates: bool = False

    def has_lost_zeros(self, reference: str) -> bool:
        """Whether it would be one of the store's with zeros before it, and is none without."""
        if any(_fits_without_zeros(reference, prefix) for prefix in self.zero_prefixes):
            return True
        return self.width > 0 and len(reference) < self.width and reference.isascii() and reference.isdecimal()

    def has_become_a_date(self, reference: str) -> bool:
        """Whether it is a whole date, as references of the store are not."""
        return _is_date(reference) and not self.has_dates and not reference.startswith(self.prefixes)


def style_of(prefixes: Iterable[str], references: Sequence[str]) -> ReferenceStyle:
    """The style that prefixes and some earlier references of a store show. A width is believed only where all are digits of
    one length, several, and some begin with a zero."""
    widths = {len(reference) for reference in references if reference.isdecimal()}
    is_plain = len(references) >= _LEAST_OF_A_STYLE and all(reference.isdecimal() for reference in references)
    has_zeros = any(reference.startswith("0") for reference in references)
    written = tuple(prefix for prefix in prefixes if prefix)
    return ReferenceStyle(
        prefixes=written,
        zero_prefixes=tuple(prefix for prefix in written if prefix.startswith("0") and prefix.strip("0")),
        width=widths.pop() if is_plain and has_zeros and len(widths) == 1 else 0,
        has_dates=any(_is_date(reference) for reference in references),
    )


def _is_date(reference: str) -> bool:
    return _REFERENCE_DATE.fullmatch(reference) is not None


def _fits_without_zeros(reference: str, prefix: str) -> bool:
    return not reference.startswith(prefix) and reference.startswith(prefix.lstrip("0"))
