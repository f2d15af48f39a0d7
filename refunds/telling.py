"""The fixed English that the trail, answers and outcomes keep, told in the reader's language; what is kept never changes."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from babel.numbers import format_decimal
from django.apps import apps
from django.utils import timezone
from django.utils.formats import localize
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from stores.money import in_locale

LANGUAGES = ("en", "nb", "da", "sv", "fi")
"""What every reason is written in: the languages of the countries that Vipps MobilePay serves, and English."""

_CODES: dict[str, Promise] = {
    "success": _("Vipps said yes"),
    "lagging": _("Vipps' sum does not show it yet"),
    "ahead": _("Vipps' sum shows more than ours"),
    "unsure": _("no clear answer"),
    "not_sent": _("nothing was sent"),
    "unauthorized": _("Vipps refused the keys"),
    "conflict": _("Vipps knows our key with other content"),
    "locked": _("Vipps is busy with the payment"),
    "throttled": _("Vipps asked us to wait"),
    "refused": _("Vipps refused"),
    "misconfigured": _("Vipps does not let us act for the store"),
    "defect": _("Vipps did not understand us"),
    "refunded": _("Refunded"),
    "refunded_after_all": _("refunded after all"),
    "released": _("Released"),
    "released_after_all": _("released after all"),
    "released_elsewhere": _("released outside the hub"),
    "captured_meanwhile": _("taken meanwhile"),
    "captured_in_part": _("taken in part, the rest released"),
    "nothing_reserved": _("nothing reserved any more"),
    "refunded_twice": _("refunded twice"),
    "refunded_elsewhere": _("refunded outside the hub"),
    "other_amount": _("another amount at Vipps"),
    "undone": _("taken back by Vipps after its success"),
    "other_currency": _("another currency at Vipps"),
    "exceeds_captured": _("more than was paid"),
    "not_captured": _("only reserved, never taken"),
    "failed_at_vipps": _("failed at Vipps"),
    "keys_used_up": _("every key is used up"),
    "payment_not_found": _("Vipps does not know the payment"),
    "store_misconfigured": _("Vipps does not let us act for the store"),
    "paced": _("five changes a minute are the most"),
    "restored": _("a restore is being checked"),
    "no_keys": _("no working keys"),
    "keys_unreadable": _("no working keys"),
    "rejected": _("not approved"),
    "withdrawn": _("withdrawn"),
    "expired": _("nobody approved it in time"),
    "settled_by_people": _("settled by two people at headquarters"),
}

_REASONS = (
    gettext_noop("a worker took it"),
    gettext_noop("approved by {tail}"),
    gettext_noop("withdrawn"),
    gettext_noop("Vipps confirmed our amount"),
    gettext_noop("Vipps confirmed the release"),
    gettext_noop("Vipps shows all that was reserved as released"),
    gettext_noop("the order is on hold"),
    gettext_noop("it could not be read at Vipps after a restore"),
    gettext_noop("it answers again"),
    gettext_noop("its keys were changed"),
    gettext_noop("{tail} says so"),
    gettext_noop("nothing is sent until a restore has been checked"),
    gettext_noop("Vipps takes five changes a minute of one payment"),
    gettext_noop("the worker's lease lapsed"),
    gettext_noop("nobody approved it within 24 hours"),
    gettext_noop("still unknown after 24 hours"),
    gettext_noop("not sent within 24 hours"),
    gettext_noop("the store's keys cannot be used: {tail}"),
    gettext_noop("Vipps' own figures do not allow it: {tail}"),
    gettext_noop("Vipps does not give this payment to its own store: {tail}"),
    gettext_noop("the payment could not be read: {tail}"),
    gettext_noop("Vipps refunded it although the hub had ended it: {tail}"),
    gettext_noop("Vipps released it although the hub had ended it: {tail}"),
    gettext_noop("Vipps shows two refunds with our keys"),
    gettext_noop("Vipps shows our key with another amount"),
    gettext_noop("Vipps shows our refund as failed after it had succeeded"),
    gettext_noop("the event log shows our key as failed"),
    gettext_noop("the event log shows our key as failed, but another send is still unresolved"),
    gettext_noop("the event log shows our key (Vipps' reference {tail})"),
    gettext_noop("the event log shows its key (Vipps' reference {tail})"),
    gettext_noop("our key is known to Vipps with other content; waiting for the event log"),
    gettext_noop("refused, but an earlier send is still unresolved"),
    gettext_noop("refused, but money left the payment that nobody explains"),
    gettext_noop("refused, and nothing appeared in the quiet time"),
    gettext_noop("too old to send again, too young to give up"),
    gettext_noop("money left the payment that nobody explains"),
    gettext_noop("the last key is used up"),
    gettext_noop("no send of this key was applied; a new key"),
    gettext_noop("a refund with a key of this hub has no row here"),
    gettext_noop("two people at headquarters settled it: {tail}"),
    gettext_noop("two people at headquarters lifted the hold: {tail}"),
    gettext_noop("the review of {tail} ended"),
)
_PATTERNS = tuple((re.compile(re.escape(text).replace(r"\{tail\}", "(?P<tail>.*)"), re.DOTALL), text) for text in _REASONS)
_CODE_AND_FACTS = re.compile(r"(?P<code>[a-z_]+) (?P<facts>\(.*\))", re.DOTALL)


def code_in_words(code: str) -> str:
    """What an answer meant or how a refund ended, for people; a code that has no words stays as it is."""
    return str(_CODES.get(code, code))


def because_in_words(because: str) -> str:
    """Why a refund moved. What varies (a name, Vipps' own words) stays as it was written."""
    for pattern, text in _PATTERNS:
        found = pattern.fullmatch(because)
        if found is not None:
            tail = found.groupdict().get("tail", "")
            return gettext(text).replace("{tail}", because_in_words(tail))
    found = _CODE_AND_FACTS.fullmatch(because)
    if found is not None and found["code"] in _CODES:
        return f"{code_in_words(found['code'])} {found['facts']}"
    return code_in_words(because)


def proposal_in_words(facts: Mapping[str, Any]) -> dict[str, str]:
    """The choices among the facts about a proposal, as people read them."""
    fields = [field for field in ("ends_as", "verdict") if field in facts]
    return {field: choice_in_words(field, facts[field], model="ReviewProposal") for field in fields}


def choice_in_words(field: str, value: str, *, model: str = "Refund") -> str:
    """The label of a choice of a column (a refund's, unless told), or the value of a choice that is gone."""
    # by name: the trail's events are imported before there are models
    column = apps.get_model("refunds", model)._meta.get_field(field)
    return str(dict(getattr(column, "flatchoices", ())).get(value, value))


def amount_in_words(facts: Mapping[str, Any]) -> str:
    """The amount of an event's facts as people write it; its currency is the last word of the written `amount`."""
    if not isinstance(facts["amount_minor"], int):
        return str(facts["amount"])
    return in_locale(facts["amount_minor"], str(facts["amount"]).rpartition(" ")[2], language())


def number_in_words(minor: object) -> str:
    """An amount whose currency is not told: hundredths as a number with two decimals; a dash for none."""
    if not isinstance(minor, int):
        return "—"
    return str(format_decimal(Decimal(minor) / 100, format="#,##0.00", locale=language().replace("-", "_")))


def moment_in_words(written: str) -> str:
    """A written UTC time (ISO 8601) in the reader's form and the hub's time zone."""
    return str(localize(timezone.localtime(datetime.fromisoformat(written))))


def spoken() -> str:
    """The reader's language among those that reasons are written in."""
    short = language().partition("-")[0]
    return short if short in LANGUAGES else "en"


def language() -> str:
    """The reader's, as Django writes it."""
    return get_language() or "en"
