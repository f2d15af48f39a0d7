"""From a file's record to the row of a sync; what a spreadsheet has spoilt is named, and never guessed back."""

from datetime import datetime

import msgspec
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from stores.importing.damage import ReferenceStyle, is_decimal, is_rewritten_date, is_scientific
from stores.importing.spreadsheets import Record
from stores.orders import AmountRow, OrderRow, UnreadableRow

REQUIRED = ("reference", "amount_minor", "currency", "paid_at")
OPTIONAL = ("channel", "receipt_number")
_LONGEST_SHOWN = 64
_AS_TEXT = _("A spreadsheet has made a number of it, and rounded it: format the column as text, and export it again.")


def row_of(record: Record, style: ReferenceStyle) -> OrderRow | UnreadableRow:
    """The row as a store system would have sent it."""
    cells = record.cells
    if cells is None:
        return _unreadable("", "wrong_columns", _("The row has more or fewer cells than there are columns."), "")
    reference, amount, paid_at = cells["reference"], cells["amount_minor"], cells["paid_at"]
    if is_scientific(reference):
        return _unreadable(reference, "spreadsheet_number", _AS_TEXT, "reference")
    if style.has_become_a_date(reference):
        sentence = _("A spreadsheet has made a date of it: format the column as text, and export it again.")
        return _unreadable(reference, "spreadsheet_date", sentence, "reference")
    if style.has_lost_zeros(reference):
        sentence = _("A spreadsheet has taken the zeros off its beginning: format the column as text, and export it again.")
        return _unreadable(reference, "lost_zeros", sentence, "reference")
    # int() would also take underscores, signs and other scripts' digits.
    if not (amount.isascii() and amount.isdecimal() and len(amount) <= 12):
        return _unreadable(reference, *_wrong_amount(amount), "amount_minor")
    try:
        moment = msgspec.convert(paid_at, datetime)
    except msgspec.ValidationError:
        return _unreadable(reference, *_wrong_time(paid_at), "paid_at")
    return OrderRow(
        reference=reference,
        amount=AmountRow(amount_minor=int(amount), currency=cells["currency"]),
        paid_at=moment,
        channel=cells.get("channel") or None,
        receipt_number=cells.get("receipt_number", ""),
    )


def _wrong_amount(amount: str) -> tuple[str, str | Promise]:
    if is_scientific(amount):
        return "spreadsheet_number", _AS_TEXT
    if is_decimal(amount):
        return "invalid_amount", _("An amount is a whole number of minor units: 250.00 is written 25000.")
    return "invalid_amount", _("An amount is a whole number of minor units.")


def _wrong_time(paid_at: str) -> tuple[str, str | Promise]:
    if is_rewritten_date(paid_at):
        return "spreadsheet_date", _(
            "A spreadsheet has rewritten this time: day, month and zone can no longer be told. Format the column as text, "
            "and export it again."
        )
    return "invalid_paid_at", _("A time is RFC 3339 with its offset.")


def _unreadable(reference: str, code: str, detail: str | Promise, field: str) -> UnreadableRow:
    shown = "".join(character for character in reference[:_LONGEST_SHOWN] if character.isprintable())
    return UnreadableRow(reference=shown, code=code, detail=str(detail), field=field)
