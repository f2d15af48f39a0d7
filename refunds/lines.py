"""What was bought, line by line: how much of each can still go back, and what it comes to.

A discount is a line of its own with a negative amount; it belongs to all goods alike, so each gives its share of it back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Q, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from refunds.errors import Denied
from refunds.models import FAILED, Refund, RefundLine
from stores.errors import Invalid
from stores.models import Order, OrderLine

NONE = Decimal(0)
_COUNTS = ~Q(refund_lines__refund__state__in=FAILED)
_PLACES = -3


@dataclass(frozen=True, kw_only=True)
class LineLeft:
    """One line of an order. `returned` counts what is on its way back too; `share_minor` is what all of it came to."""

    line: OrderLine
    returned: Decimal
    share_minor: int

    @property
    def left(self) -> Decimal:
        """How much can still go back; of a discount, or of what came back to the store before, nothing."""
        is_goods = self.line.amount_minor > 0 and self.line.quantity > 0
        return max(NONE, self.line.quantity - self.returned) if is_goods else NONE

    def comes_to_minor(self, quantity: Decimal) -> int:
        """What so many more of it come to. All of it, in however many steps, comes to the share, to the last øre."""
        before, after = self.returned, self.returned + quantity
        return _part(self.share_minor, after, self.line.quantity) - _part(self.share_minor, before, self.line.quantity)

    def costs_at_most_minor(self, quantity: Decimal) -> int:
        """Its price, no discount off: more than that was never paid for it."""
        return _part(self.line.amount_minor, quantity, self.line.quantity)


Wanted = Mapping[int, Decimal]
"""How much of which line, by the line's number."""


def left_of_lines(order: Order) -> list[LineLeft]:
    """Every line of the order in the till's order; empty where the till sent none. One query."""
    returned = Coalesce(Sum("refund_lines__quantity", filter=_COUNTS), NONE)
    lines = list(OrderLine.objects.filter(order=order).annotate(returned=returned).order_by("number"))
    shares = shares_minor([line.amount_minor for line in lines])
    return [
        LineLeft(line=line, returned=line.returned, share_minor=share)
        for line, share in zip(lines, shares, strict=True)
    ]


def shares_minor(amounts_minor: Sequence[int]) -> list[int]:
    """What each line comes to once discounts (negative lines) are shared by all others; the sum stays the same.

    The øre that do not divide go to the lines that lose most by rounding, the first of them first. Nothing goes below zero.
    """
    prices = [max(0, amount) for amount in amounts_minor]
    whole, paid = sum(prices), max(0, sum(amounts_minor))
    if not whole:
        return [0] * len(prices)
    shares = [price * paid // whole for price in prices]
    lost = sorted(range(len(prices)), key=lambda at: (-(prices[at] * paid % whole), at))
    for at in lost[: paid - sum(shares)]:
        shares[at] += 1
    return shares


def check(lines: Sequence[LineLeft], wanted: Wanted, *, amount_minor: int) -> None:
    """Raises Invalid (unknown_line, invalid_quantity), Denied (line_used_up, exceeds_lines) unless so much can go back so.

    Where no goods are wanted there is nothing to check: then only money goes back.
    """
    if not wanted:
        return
    known = {left.line.number: left for left in lines}
    for number, quantity in wanted.items():
        if number not in known:
            raise Invalid(_("The order has no such line."), code="unknown_line", field="lines")
        exponent = quantity.normalize().as_tuple().exponent
        if quantity <= 0 or not isinstance(exponent, int) or exponent < _PLACES:
            raise Invalid(
                _("Say how many go back: more than none, with at most three decimals."), code="invalid_quantity", field="lines"
            )
        if quantity > known[number].left:
            raise Denied(
                _("Less of these goods is left than that: some were returned before, or are being returned now."),
                code="line_used_up",
                field="lines",
            )
    if amount_minor > cost_at_most_minor(lines, wanted):
        raise Denied(_("That is more than these goods cost."), code="exceeds_lines", field="amount")


def comes_to_minor(lines: Sequence[LineLeft], wanted: Wanted, *, left_minor: int) -> int:
    """What the wanted goods come to, but never more than is left of the order. Lines that are not there count nothing."""
    known = {left.line.number: left for left in lines}
    sums = (known[number].comes_to_minor(quantity) for number, quantity in wanted.items() if number in known)
    return min(left_minor, sum(sums))


def cost_at_most_minor(lines: Sequence[LineLeft], wanted: Wanted) -> int:
    """What the wanted goods cost, no discount off. Lines that are not there count nothing."""
    known = {left.line.number: left for left in lines}
    return sum(known[number].costs_at_most_minor(quantity) for number, quantity in wanted.items() if number in known)


def keep(refund: Refund, lines: Sequence[LineLeft], wanted: Wanted) -> None:
    """Write down what the refund gives back. The order's account must be locked, and `lines` read since."""
    known = {left.line.number: left.line for left in lines}
    rows = [RefundLine(refund=refund, line=known[number], quantity=quantity) for number, quantity in sorted(wanted.items())]
    if rows:
        RefundLine.objects.bulk_create(rows)


def as_wish(wanted: Wanted) -> list[list[object]]:
    """The goods as part of a wish's fingerprint: the same however they were written."""
    return [[number, f"{quantity.normalize():f}"] for number, quantity in sorted(wanted.items())]


def _part(amount_minor: int, quantity: Decimal, of: Decimal) -> int:
    """Decimals divide exactly enough to round once: multiplied first, so that half an øre stays half an øre."""
    whole = amount_minor * quantity
    return int((whole / of).to_integral_value(rounding=ROUND_HALF_UP)) if of else 0
