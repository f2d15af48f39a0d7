"""One order as its page shows it: what is left, the goods, what went back outside the hub. Finished words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from refunds import policy
from refunds.desk import wording
from refunds.desk.rows import status_of
from refunds.lines import LineLeft
from refunds.models import Kind
from refunds.overview import Outside
from refunds.queries import InFlight, Left
from stores.models import Order


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


def balance_of(order: Order, left: Left, *, now: datetime) -> Balance:
    """`left` as the order's page shows it; `refusal` is policy's sentence where nothing can be asked for any more."""
    whole = max(left.captured_minor, 1)
    refusal = policy.refusal_for_age(order.paid_at, now=now)
    status, tone = status_of(left, refusal)
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
class GoodsRow:
    """One line of what was bought. `most` is how many can go back, "" where none can; `steps`: one may choose fewer."""

    number: int
    name: str
    sku: str
    quantity: str
    amount: str
    most: str
    steps: bool
    chosen: str
    is_chosen: bool
    used: str | Promise


def goods_of(lines: Sequence[LineLeft], currency: str, chosen: Mapping[int, Decimal]) -> list[GoodsRow]:
    """What was bought, when the till said so, with what is chosen of it ticked."""
    return [_goods(row, currency, chosen) for row in lines]


def _goods(row: LineLeft, currency: str, chosen: Mapping[int, Decimal]) -> GoodsRow:
    line, left = row.line, row.left
    return GoodsRow(
        number=line.number,
        name=line.name,
        sku=line.sku,
        quantity=wording.quantity(line.quantity),
        amount=wording.money(line.amount_minor, currency),
        most=f"{left.normalize():f}" if left else "",
        steps=left > 1 and left == left.to_integral_value(),
        chosen=f"{chosen.get(line.number, left).normalize():f}",
        is_chosen=line.number in chosen,
        used=_used(row),
    )


def _used(row: LineLeft) -> str:
    """What is no longer there of this line, in words; "" where all of it is."""
    if row.returned <= 0:
        return ""
    if row.left <= 0:
        return _("all returned")
    return _("%(left)s left") % {"left": wording.quantity(row.left)}


def chosen_goods(lines: Sequence[LineLeft], chosen: Mapping[int, Decimal]) -> list[str]:
    """The chosen goods, one a line: "2 × Candle holder"."""
    return [
        f"{wording.quantity(chosen[row.line.number])} × {row.line.name}" for row in lines if row.line.number in chosen
    ]


@dataclass(frozen=True, kw_only=True)
class OutsideRow:
    """A refund that was made outside the hub."""

    amount: str
    when: str


def outside_of(outside: Sequence[Outside], currency: str) -> list[OutsideRow]:
    """What went back outside the hub, newest first."""
    return [
        OutsideRow(amount=wording.money(it.amount_minor, currency), when=wording.day_and_time(it.seen_at)) for it in outside
    ]
