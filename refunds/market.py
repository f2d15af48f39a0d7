"""What differs between the four markets: the language of papers, what the app is called, and where the money goes."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_LANGUAGES = {"NO": "nb", "DK": "da", "SE": "sv", "FI": "fi"}
_APPS = {"NO": "Vipps", "SE": "Vipps", "DK": "MobilePay", "FI": "MobilePay"}
_TO_YOUR_CARD = _("The money goes back to the card or account you paid with.")
_TO_YOUR_APP = _("The money goes to the account you have chosen for receiving money in the MobilePay app.")

WHEN_YOU_HAVE_IT = _("It is usually there in 2–3 bank days, at most 10.")
WHEN_IT_IS_YOURS_AGAIN = _("Nothing was taken from you. How soon your bank shows that is up to the bank.")


def language_of(country: str) -> str:
    """The language of what a store of that country hands over, whatever its cashier reads; English elsewhere."""
    return _LANGUAGES.get(country, "en")


def app_of(market: str) -> str:
    """What the customer calls what she paid with (Vipps: one product, two names)."""
    return _APPS.get(market, "Vipps MobilePay")


def where_your_money_goes(market: str) -> Promise:
    """Said to the customer, by the market of the sales unit that was paid (Vipps: refund pages of each market)."""
    return _TO_YOUR_APP if market in ("DK", "FI") else _TO_YOUR_CARD
