"""Money: an integer of minor units with its currency, from end to end."""

import re
from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import format_currency

CURRENCIES = ("NOK", "DKK", "EUR", "SEK")
_CODE_MEETS_DIGIT = re.compile(r"(?<=[A-Z]{3})(?=[0-9])")
"""Where Unicode's currency spacing belongs (UTS 35, currencySpacing), which Babel leaves out."""
MAX_MINOR = 65_000_000
"""The largest amount of one Vipps MobilePay payment, minor units (Vipps: ePayment API, Amount schema)."""


@dataclass(frozen=True, kw_only=True)
class Money:
    """`amount_minor` counts hundredths of the currency (øre, cent); never a float.

    Raises ValueError for a negative amount, one that is no integer, or a currency Vipps MobilePay does not settle in.
    """

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if isinstance(self.amount_minor, bool) or not isinstance(self.amount_minor, int) or self.amount_minor < 0:
            raise ValueError("amount_minor must be a non-negative integer")
        if self.currency not in CURRENCIES:
            raise ValueError(f"currency must be one of {', '.join(CURRENCIES)}")

    def __str__(self) -> str:
        return f"{self.amount_minor // 100}.{self.amount_minor % 100:02d} {self.currency}"


def in_locale(amount_minor: int, currency: str, language: str) -> str:
    """The amount as people write it: 25000, "NOK" gives "250,00 kr" in "nb", "NOK 250.00" in "en". May be negative."""
    written = format_currency(Decimal(amount_minor) / 100, currency, locale=language.replace("-", "_"))
    return _CODE_MEETS_DIGIT.sub("\u00a0", written)
