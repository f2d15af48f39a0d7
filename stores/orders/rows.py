"""One order as a store system sends it, and the check that it can be one."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
from django.utils.translation import gettext_lazy as _

from stores.models import Channel
from stores.money import CURRENCIES, MAX_MINOR
from stores.orders.outcomes import RowError

MAX_ROWS = 10_000
MAX_LINES = 500
_REFERENCE = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)  # Vipps opened in May 2015: nothing was paid before.
_CLOCK_SKEW = timedelta(hours=1)
_CHANNELS = frozenset(Channel.values)
_QUANTITY = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,3})?", re.ASCII)


class AmountRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Minor units with their currency."""

    amount_minor: int
    currency: str


class LineRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`amount_minor` is the whole line's, in the order's currency, negative for a discount; never a float."""

    name: str
    quantity: int | str
    amount_minor: int
    sku: str = ""


class OrderRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One payment. `channel` is needed only where the store has several sales units open at `paid_at` (RFC 3339)."""

    reference: str
    amount: AmountRow
    paid_at: datetime
    channel: str | None = None
    receipt_number: str = ""
    lines: tuple[LineRow, ...] = ()


class UnreadableRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that has not the shape of an order; carried along so that its place in the batch gets an outcome."""

    reference: str
    code: str
    detail: str
    field: str


def latest_paid_at(now: datetime) -> datetime:
    """Until when an order can have been paid: a till's clock may be a little ahead."""
    return now.astimezone(UTC) + _CLOCK_SKEW


def check_row(row: OrderRow, *, latest: datetime) -> None:
    """Raises RowError, with the field that is wrong, unless the row can be an order, paid at `latest` at the latest."""
    if not _REFERENCE.fullmatch(row.reference):
        raise RowError("invalid_reference", _("A reference is 1 to 64 letters, digits and hyphens."), field="reference")
    _check_amount(row.amount.amount_minor, 1, "amount.amount_minor")
    if row.amount.currency not in CURRENCIES:
        raise RowError("wrong_currency", _("The currency is not one of Vipps MobilePay's."), field="amount.currency")
    _check_moment(row.paid_at, latest)
    if row.channel is not None and row.channel not in _CHANNELS:
        raise RowError("invalid_channel", _("A channel is in_store or online."), field="channel")
    if row.receipt_number:
        _check_text(row.receipt_number, 40, "receipt_number")
    if row.lines:
        _check_lines(row.lines)


def _check_amount(amount_minor: object, smallest: int, field: str) -> None:
    # Rows built in Python have not been through the decoder; True is an int to Python, and no amount.
    if type(amount_minor) is not int or not smallest <= amount_minor <= MAX_MINOR:
        raise RowError("invalid_amount", _("An amount is a whole number of minor units, at most 65 000 000."), field=field)


def _check_moment(paid_at: datetime, latest: datetime) -> None:
    if paid_at.tzinfo is None:
        raise RowError("invalid_paid_at", _("A time needs its offset from UTC (RFC 3339)."), field="paid_at")
    if not _EARLIEST <= paid_at <= latest:
        raise RowError("invalid_paid_at", _("The time lies in the future, or before Vipps existed."), field="paid_at")


def _check_text(text: str, longest: int, field: str, *, shortest: int = 0) -> None:
    if not shortest <= len(text) <= longest:
        raise RowError("invalid_text", _("The text is empty or too long."), field=field)
    # PostgreSQL stores neither NUL nor half of a surrogate pair: refused here, so that one row cannot end them all.
    if "\x00" in text or (not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)):
        raise RowError("invalid_text", _("The text holds characters that cannot be stored, or is not UTF-8."), field=field)


def _check_lines(lines: Sequence[LineRow]) -> None:
    if len(lines) > MAX_LINES:
        raise RowError("too_many_lines", _("An order has at most 500 lines."), field="lines")
    for number, line in enumerate(lines):
        field = f"lines[{number}]"
        _check_text(line.name, 200, f"{field}.name", shortest=1)
        _check_text(line.sku, 80, f"{field}.sku")
        _check_amount(line.amount_minor, -MAX_MINOR, f"{field}.amount_minor")
        quantity_of(line, field)


def quantity_of(line: LineRow, field: str = "lines") -> Decimal:
    """The quantity as a decimal of at most three places. Raises RowError."""
    if type(line.quantity) in (int, str) and _QUANTITY.fullmatch(str(line.quantity)):
        return Decimal(line.quantity)
    raise RowError(
        "invalid_quantity",
        _("A quantity is a whole number or a decimal string with at most three places."),
        field=f"{field}.quantity",
    )
