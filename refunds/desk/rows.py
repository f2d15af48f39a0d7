"""Orders and refunds as the desk's templates show them: finished words, no queries in a template."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from refunds import policy, queries
from refunds.desk import wording
from refunds.models import Refund, State
from refunds.policy import Refusal
from refunds.queries import Left
from stores.models import Order

_TONES = {
    State.REFUNDED: "done",
    State.RELEASED: "done",
    State.DECLINED: "no",
    State.REJECTED: "no",
    State.CANCELLED: "no",
    State.UNKNOWN: "unsure",
    State.REVIEW: "unsure",
}
_HOLD = gettext_lazy("Held by headquarters")
_TOO_OLD = gettext_lazy("Too old to refund")
_RESERVED = gettext_lazy("Reserved, not taken")
_RELEASED = gettext_lazy("Reservation released")


def tone_of(refund: Refund) -> str:
    """Which of the four looks a state has: waiting, done, no, unsure. The word stands beside it, always."""
    return _TONES.get(State(refund.state), "waiting")


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One line of the search's answer."""

    order: Order
    paid: str
    amount: str
    left: str
    status: str | Promise
    tone: str
    is_selectable: bool


def hits_of(orders: Sequence[Order], *, now: datetime) -> list[Hit]:
    """The lines for `orders`, what is left of each read in one go."""
    lefts = queries.lefts_of(orders)
    return [_hit(order, lefts[order.pk], policy.refusal_for_age(order.paid_at, now=now)) for order in orders]


def _hit(order: Order, left: Left, refusal: Refusal | None) -> Hit:
    status, tone = status_of(left, refusal)
    return Hit(
        order=order,
        paid=wording.day_and_time(order.paid_at),
        amount=wording.money(order.amount_minor, order.currency),
        left=wording.money(left.left_minor, left.currency),
        status=status,
        tone=tone,
        is_selectable=left.left_minor > 0 or bool(left.in_flight) or left.releasable_minor > 0,
    )


def status_of(left: Left, refusal: Refusal | None) -> tuple[str | Promise, str]:
    """What can be done with an order, in a word or two, and the tone of its tag."""
    if left.on_hold:
        return _HOLD, "unsure"
    if left.is_being_released:
        return _("Being released in %(store)s") % {"store": left.in_flight[0].store_name}, "waiting"
    if left.is_released:
        return _RELEASED, "used"
    if left.in_flight:
        return _("Being refunded in %(store)s") % {"store": left.in_flight[0].store_name}, "waiting"
    if left.releasable_minor:
        return _RESERVED, "open"
    if left.left_minor == 0:
        return _("All refunded"), "used"
    if refusal is not None:
        return _TOO_OLD, "used"
    if left.left_minor < left.captured_minor:
        return _("Partly refunded"), "open"
    return _("Can be refunded"), "open"


@dataclass(frozen=True, kw_only=True)
class RefundRow:
    """One refund in a list."""

    refund: Refund
    amount: str
    when: str
    time: str
    tone: str
    state: str
    is_moving: bool

    @property
    def asked_by(self) -> str:
        """The cashier whom a till named, else whoever asked; read with the refund where many are shown."""
        return self.refund.cashier or str(self.refund.requested_by or self.refund.requested_by_system)


def refund_rows(refunds: Sequence[Refund]) -> list[RefundRow]:
    """Lines for refunds, in the order given."""
    return [
        RefundRow(
            refund=refund,
            amount=wording.money(refund.shown_minor, refund.currency),
            when=wording.day_and_time(refund.accepted_at),
            time=wording.time_of_day(refund.accepted_at),
            tone=tone_of(refund),
            state=refund.get_state_display(),
            is_moving=not refund.has_ended,
        )
        for refund in refunds
    ]


IN_THE_STRIP = 4


@dataclass(frozen=True, kw_only=True)
class UnderWay:
    """The strip: `mark` changes with whatever it shows, `is_moving` says that it may change by itself; `more` are not shown."""

    rows: list[RefundRow]
    more: int
    mark: str
    is_moving: bool


def under_way_of(refunds: Sequence[Refund]) -> UnderWay:
    """The strip of these refunds: those without an end first, else in the order given."""
    states = [(str(refund.pk), refund.state, refund.fence) for refund in refunds]
    shown = sorted(refunds, key=lambda refund: refund.has_ended)
    return UnderWay(
        rows=refund_rows(shown[:IN_THE_STRIP]),
        more=max(0, len(shown) - IN_THE_STRIP),
        mark=hashlib.sha256(repr(states).encode()).hexdigest()[:16],
        is_moving=bool(refunds),
    )
