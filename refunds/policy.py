"""May this refund be asked for? Facts in, verdict out; pure arithmetic, no database, no clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from refunds import rules
from refunds.models import Tier
from refunds.rules import Breach
from stores.vipps import ecom, ecom_types, payments

REFUND_PERIOD = timedelta(days=365)
"""Counted from the payment, the stricter of Vipps' two readings (Vipps: ePayment API errors page, code 6220)."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that the verdict depends on; amounts in minor units of the order's currency.

    `captured_minor` is None until Vipps was asked, `left_minor` already counts money in flight anywhere. `is_released`: what
    was reserved is released, or being released now. `disputed_minor` is what the customer's bank took back and has not given
    back.
    """

    amount_minor: int
    currency: str
    order_currency: str
    reference: str
    captured_minor: int | None
    left_minor: int
    paid_at: datetime
    now: datetime
    is_on_hold: bool
    has_keys: bool
    is_paused: bool = False
    is_released: bool = False
    disputed_minor: int = 0
    breaches: tuple[Breach, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """It may be asked for. `breaches` are the limits it breaks: each needs the yes of a second person first.

    `disputed_minor` is what the customer's bank has taken back already: whoever asks must know, or the customer is paid twice.
    """

    disputed_minor: int = 0
    breaches: tuple[Breach, ...] = ()

    @property
    def needs_approval_of(self) -> Tier | None:
        """Whose yes it needs; None: it goes out at once. Only headquarters knows how a dispute stands."""
        return Tier.HEADQUARTERS if self.disputed_minor else rules.highest(self.breaches)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A rule says no: its stable code, the cashier's sentence, and the field that is wrong, if one is."""

    code: str
    sentence: str | Promise
    field: str = ""
    status: int = 409


Verdict = Allowed | Refusal

NOT_REACHABLE = Refusal(
    code="not_reachable",
    sentence=_("Vipps has payments with so short a number in Norwegian kroner only. Check the number; ask headquarters."),
)
PAUSED = Refusal(
    code="paused",
    sentence=_("Headquarters has paused refunds here. Nothing is refunded until it lets them go on; ask headquarters."),
)
ON_HOLD = Refusal(
    code="on_hold",
    sentence=_("Headquarters is looking into an earlier refund of this order. Nothing more is refunded until then."),
)
NO_KEYS = Refusal(
    code="no_keys",
    sentence=_("Headquarters has not entered working Vipps keys for the store that sold this. Ask headquarters."),
)
RELEASED = Refusal(
    code="released",
    sentence=_("The reservation is released, or being released now: no money was taken and there is nothing to refund."),
)


def decide(facts: Facts) -> Verdict:
    """The first rule that is broken, in the order in which a cashier can do something about it."""
    for rule in _RULES:
        refusal = rule(facts)
        if refusal is not None:
            return refusal
    return Allowed(disputed_minor=facts.disputed_minor, breaches=facts.breaches)


def _amount_is_positive(facts: Facts) -> Refusal | None:
    if facts.amount_minor > 0:
        return None
    return Refusal(
        code="invalid_amount", sentence=_("The amount must be more than zero."), field="amount", status=400
    )


def _currency_is_the_orders(facts: Facts) -> Refusal | None:
    if facts.currency == facts.order_currency:
        return None
    return Refusal(
        code="wrong_currency",
        sentence=_("The order was paid in another currency; it can only be refunded in that one."),
        field="amount.currency",
        status=400,
    )


def refusal_for_age(paid_at: datetime, *, now: datetime) -> Refusal | None:
    """The one rule that no amount and no change can mend; pages show it before anything is asked."""
    if now - paid_at <= REFUND_PERIOD:
        return None
    return Refusal(
        code="too_old",
        sentence=_("The payment is older than 365 days. Vipps no longer refunds it; settle with the customer otherwise."),
    )


def _order_is_young_enough(facts: Facts) -> Refusal | None:
    return refusal_for_age(facts.paid_at, now=facts.now)


def _reference_is_reachable(facts: Facts) -> Refusal | None:
    if not payments.needs_ecom(facts.reference) or facts.order_currency == ecom_types.CURRENCY:
        return None
    return NOT_REACHABLE


def _amount_is_not_too_small(facts: Facts) -> Refusal | None:
    if not payments.needs_ecom(facts.reference) or facts.amount_minor >= ecom.SMALLEST_AMOUNT:
        return None
    return Refusal(
        code="below_minimum",
        sentence=_("Of this payment Vipps refunds no less than one krone."),
        field="amount",
        status=400,
    )


def _nothing_is_paused(facts: Facts) -> Refusal | None:
    if not facts.is_paused:
        return None
    return PAUSED


def _order_is_not_on_hold(facts: Facts) -> Refusal | None:
    if not facts.is_on_hold:
        return None
    return ON_HOLD


def _payment_is_not_released(facts: Facts) -> Refusal | None:
    return RELEASED if facts.is_released else None


def _payment_is_captured(facts: Facts) -> Refusal | None:
    if facts.captured_minor is None or facts.captured_minor > 0:
        return None
    return Refusal(
        code="not_captured",
        sentence=_("The money is only reserved, not taken. It cannot be refunded: release the reservation instead."),
    )


def _something_is_left(facts: Facts) -> Refusal | None:
    if facts.left_minor > 0:
        return None
    return Refusal(
        code="nothing_left", sentence=_("Nothing is left to refund: all of it was refunded or is being refunded now.")
    )


def _amount_is_left(facts: Facts) -> Refusal | None:
    if facts.amount_minor <= facts.left_minor:
        return None
    return Refusal(code="exceeds_left", sentence=_("That is more than is left of the order."), field="amount")


def _store_can_be_reached(facts: Facts) -> Refusal | None:
    if facts.has_keys:
        return None
    return NO_KEYS


_RULES = (
    _amount_is_positive,
    _currency_is_the_orders,
    _order_is_young_enough,
    _reference_is_reachable,
    _amount_is_not_too_small,
    _nothing_is_paused,
    _order_is_not_on_hold,
    _payment_is_not_released,
    _payment_is_captured,
    _something_is_left,
    _amount_is_left,
    _store_can_be_reached,
)
