"""Orders and refunds as the desk's templates show them: finished words, no queries in a template."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from refunds import policy, queries
from refunds.desk import wording
from refunds.models import Kind, Refund, State
from refunds.policy import Refusal
from refunds.queries import InFlight, Left
from stores import clock
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


def hits_of(orders: Sequence[Order]) -> list[Hit]:
    """The lines for `orders`, what is left of each read in one go."""
    lefts = queries.lefts_of(orders)
    now = clock.db_now()
    return [_hit(order, lefts[order.pk], policy.refusal_for_age(order.paid_at, now=now)) for order in orders]


def _hit(order: Order, left: Left, refusal: Refusal | None) -> Hit:
    status, tone = _status(left, refusal)
    return Hit(
        order=order,
        paid=wording.day_and_time(order.paid_at),
        amount=wording.money(order.amount_minor, order.currency),
        left=wording.money(left.left_minor, left.currency),
        status=status,
        tone=tone,
        is_selectable=left.left_minor > 0 or bool(left.in_flight) or left.releasable_minor > 0,
    )


def _status(left: Left, refusal: Refusal | None) -> tuple[str | Promise, str]:
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
class Balance:
    """What is left of an order, in words and as a bar of a thousand parts."""

    left_minor: int
    left: str
    captured: str
    in_flight: tuple[str, ...]
    refunded_parts: int
    reserved_parts: int
    status: str | Promise
    tone: str
    is_open: bool
    is_released: bool
    refusal: str | Promise

    @property
    def reserved_from(self) -> int:
        return self.refunded_parts


def balance_of(order: Order, left: Left) -> Balance:
    """`left` as the order's page shows it; `refusal` is policy's sentence where nothing can be asked for any more."""
    whole = max(left.captured_minor, 1)
    refusal = policy.refusal_for_age(order.paid_at, now=clock.db_now())
    status, tone = _status(left, refusal)
    return Balance(
        left_minor=left.left_minor,
        left=wording.money(left.left_minor, left.currency),
        captured=wording.money(left.captured_minor, left.currency),
        in_flight=tuple(
            _in_flight(flight, left.currency) for flight in left.in_flight
        ),
        refunded_parts=(left.posted_minor + left.external_minor) * 1000 // whole,
        reserved_parts=left.reserved_minor * 1000 // whole,
        status=status,
        tone=tone,
        is_open=left.left_minor > 0 and not left.on_hold and refusal is None,
        is_released=left.is_released or left.is_being_released,
        refusal=refusal.sentence if refusal else "",
    )


def _in_flight(flight: InFlight, currency: str) -> str:
    said = {"amount": wording.money(flight.amount_minor, currency), "store": flight.store_name}
    if flight.kind == Kind.RELEASE:
        return _("%(amount)s being released now in %(store)s") % said
    return _("%(amount)s being refunded now in %(store)s") % said


@dataclass(frozen=True, kw_only=True)
class RefundRow:
    """One refund in a list."""

    refund: Refund
    amount: str
    when: str
    time: str
    tone: str
    state: str


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
        )
        for refund in refunds
    ]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of what was bought."""

    name: str
    sku: str
    quantity: str
    amount: str


def lines_of(order: Order) -> list[Line]:
    """What was bought, when the till said so."""
    return [
        Line(
            name=line.name,
            sku=line.sku,
            quantity=f"{line.quantity.normalize():f}",
            amount=wording.money(line.amount_minor, order.currency),
        )
        for line in order.lines.all()
    ]
