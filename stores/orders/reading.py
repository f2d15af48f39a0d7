"""From the bytes of a sync request to rows: fast where all rows are well formed, row by row where one is not."""

import json
import re
from typing import Any

import msgspec
from django.utils.translation import gettext_lazy as _

from stores.errors import Invalid
from stores.orders.rows import MAX_ROWS, OrderRow, UnreadableRow

_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `(?P<name>[^`]*)`")
_MISSING = re.compile(r"missing required field `(?P<name>[^`]*)`")


class _Batch(msgspec.Struct, forbid_unknown_fields=True):
    orders: list[OrderRow]


_decoder = msgspec.json.Decoder(_Batch)


def read_batch(body: bytes) -> list[OrderRow | UnreadableRow]:
    """The rows of `{"orders": [...]}`, in order. Raises Invalid when there is no such list of 1 to 10,000 rows.

    Of a name that an object repeats, the last value counts; where money moves (refunds) repeated names are refused.
    """
    try:
        rows: list[OrderRow | UnreadableRow] = [*_decoder.decode(body).orders]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        rows = _read_one_by_one(body)
    check_count(len(rows))
    return rows


def check_count(count: int) -> None:
    """Raises Invalid unless a batch may have so many rows."""
    if not 1 <= count <= MAX_ROWS:
        raise Invalid(_("A sync holds 1 to 10,000 orders."), code="wrong_number_of_rows", field="orders")


def _read_one_by_one(body: bytes) -> list[OrderRow | UnreadableRow]:
    # The standard reader takes half surrogate pairs, which would otherwise cost the good rows around them too.
    try:
        batch = json.loads(body.decode("utf-8", "surrogatepass"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Invalid(_("The body is not JSON in UTF-8."), code="malformed_json") from None
    if not isinstance(batch, dict) or not isinstance(batch.get("orders"), list):
        raise Invalid(_("The body is an object with a list named orders."), code="invalid_body", field="orders")
    for name in batch:
        if name != "orders":
            raise Invalid(_("There is no such field."), code="unknown_field", field=_printable(name))
    check_count(len(batch["orders"]))
    return [_read_row(row) for row in batch["orders"]]


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _read_row(row: Any) -> OrderRow | UnreadableRow:
    try:
        return msgspec.convert(row, OrderRow)
    except (msgspec.ValidationError, RecursionError) as error:
        said = row.get("reference") if isinstance(row, dict) else None
        return _unreadable(_printable(said) if isinstance(said, str) else "", str(error))


def _unreadable(reference: str, message: str) -> UnreadableRow:
    at = _PATH.search(message)
    path = at["path"] if at else ""
    if unknown := _UNKNOWN.search(message):
        return UnreadableRow(
            reference=reference, code="unknown_field", detail=str(_("There is no such field.")),
            field=_join(path, _printable(unknown["name"])),
        )  # fmt: skip
    if missing := _MISSING.search(message):
        return UnreadableRow(
            reference=reference, code="missing_field", detail=str(_("This field is required.")),
            field=_join(path, missing["name"]),
        )  # fmt: skip
    if path.endswith("amount_minor"):
        return UnreadableRow(
            reference=reference,
            code="invalid_amount",
            detail=str(_("An amount is a whole number of minor units, at most 65 000 000.")),
            field=path,
        )
    detail = _PATH.sub("", message)
    return UnreadableRow(reference=reference, code="invalid_row", detail=_printable(detail), field=path)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _printable(text: str) -> str:
    """The text as an answer can carry it: without control characters and half surrogate pairs, at most 64 long."""
    return "".join(character for character in text[:64] if character.isprintable())
