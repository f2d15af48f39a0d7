"""How the desk says amounts, times and where the money goes, in the reader's language and the store's time."""

from datetime import date, datetime
from decimal import Decimal

from babel.dates import format_date, format_time
from babel.numbers import format_decimal
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from stores.money import in_locale

_DATES_OF = {"en": "en_GB", "nb": "nb_NO", "da": "da_DK", "sv": "sv_SE", "fi": "fi_FI"}


def _locale() -> str:
    return _DATES_OF.get(get_language() or "en", "en_GB")


def money(amount_minor: int, currency: str) -> str:
    """ "250,00 kr" to a Norwegian reader."""
    return in_locale(amount_minor, currency, get_language() or "en")


def typed_money(amount_minor: int) -> str:
    """The amount as it stands in the amount field: "1250,50", in English "1250.50"; no currency."""
    point = "." if _locale() == "en_GB" else ","
    return f"{amount_minor // 100}{point}{amount_minor % 100:02d}"


def quantity(number: Decimal) -> str:
    """ "2", "0,35": no zeros at the end, in the reader's way of writing decimals."""
    return format_decimal(number, format="#,##0.###", locale=_locale())


def day(date: date) -> str:
    """ "24. nov. 2026"."""
    return str(format_date(date, format="medium", locale=_locale()))


def day_and_time(moment: datetime) -> str:
    """ "24. nov. 2026, 14:05", in the time zone that the door has activated."""
    return f"{day(timezone.localtime(moment).date())}, {time_of_day(moment)}"


def time_of_day(moment: datetime) -> str:
    """ "14:05", in Danish and Finnish "14.05"."""
    return str(format_time(timezone.localtime(moment).time(), format="short", locale=_locale()))


_TO_THE_CARD = _("The money goes back to the card or account that the customer paid with.")
_TO_THE_APP = _("The money goes to the account that the customer has chosen for receiving money in the MobilePay app.")


def where_it_goes(market: str) -> Promise:
    """What the customer can be told, by the market of the sales unit (Vipps: refund pages of each market)."""
    return _TO_THE_APP if market in ("DK", "FI") else _TO_THE_CARD


WHEN_IT_ARRIVES = _("Usually 2–3 bank days, at most 10.")
WHEN_IT_IS_FREE = _("Vipps lets it go at once; how soon the customer's bank shows that is up to the bank.")
