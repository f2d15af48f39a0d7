"""From the bytes of a sync request to rows: fast where all rows are well formed, row by row where one is not.

Of a name that an object repeats, the last value counts; where money moves (refunds) repeated names are refused.
"""

import codecs
import json
from typing import Any

import msgspec
from django.utils.translation import gettext_lazy as _

from stores.errors import Invalid
from stores.orders.rows import MAX_ROWS, OrderRow, UnreadableRow
from stores.orders.unreadable import printable, refused, unreadable

Row = OrderRow | UnreadableRow
_MOST_DIGITS = 40
_MOST_VALUES = 500_000
"""Ten thousand orders with all their lines have fewer in 4 MiB; a body made of empty objects would cost 200 MiB."""


_MOST_VALUES_OF_ONE = 10_000


class _Batch(msgspec.Struct, forbid_unknown_fields=True):
    orders: list[OrderRow]


_batch_decoder = msgspec.json.Decoder(_Batch)
_row_decoder = msgspec.json.Decoder(OrderRow)
_NO_ROWS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def read_batch(body: bytes) -> list[Row]:
    """The rows of `{"orders": [...]}`, in order. Raises Invalid when there is no such list of 1 to 10,000 rows."""
    _check_encoding(body)
    try:
        rows: list[Row] = [*_batch_decoder.decode(body).orders]
    except _NO_ROWS:
        rows = _read_one_by_one(body)
    check_count(len(rows))
    return rows


def read_lines(body: bytes) -> list[Row]:
    """The rows of NDJSON: one order a line, so that a row's index is its line's. Raises Invalid for 0 or over 10,000."""
    _check_encoding(body)
    body = body.rstrip(b" \t\r\n")
    count = body.count(b"\n") + 1 if body else 0
    check_count(count)
    try:
        rows: list[Row] = [*_row_decoder.decode_lines(body)]
    except _NO_ROWS:
        rows = []
    # The decoder takes two orders on a line, and one on two; what has another count is read as lines.
    return rows if len(rows) == count else [_read_line(line) for line in body.split(b"\n")]


def check_count(count: int) -> None:
    """Raises Invalid unless a batch may have so many rows."""
    if not 1 <= count <= MAX_ROWS:
        raise Invalid(_("A sync holds 1 to 10,000 orders."), code="wrong_number_of_rows", field="orders")


def _check_encoding(body: bytes) -> None:
    if body.startswith(codecs.BOM_UTF8):
        raise Invalid(_("The body begins with a byte order mark: send UTF-8 without it."), code="byte_order_mark")
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in body[:4]:
        raise Invalid(_("The body is in UTF-16 or UTF-32: send UTF-8."), code="wrong_charset")
    if not body.strip():
        raise Invalid(_("The body is empty."), code="empty_body")


def _read_one_by_one(body: bytes) -> list[Row]:
    if sum(map(body.count, (b"{", b"[", b","))) > _MOST_VALUES:
        raise Invalid(_("The body holds more values than 10,000 orders can have."), code="too_many_values")
    text = _text(body)
    try:
        batch = json.loads(text, parse_constant=_refuse_constant, parse_int=_integer)
    except RecursionError:
        raise Invalid(_("The body is nested too deeply."), code="too_deep") from None
    except json.JSONDecodeError as error:
        raise _malformed(error) from None
    except ValueError:
        raise Invalid(_("The body is not JSON."), code="malformed_json") from None
    if not isinstance(batch, dict) or not isinstance(batch.get("orders"), list):
        raise Invalid(_("The body is an object with a list named orders."), code="invalid_body", field="orders")
    if unknown := [name for name in batch if name != "orders"]:
        raise Invalid(_("There is no such field."), code="unknown_field", field=printable(unknown[0]))
    check_count(len(batch["orders"]))
    return [_as_row(row) for row in batch["orders"]]


def _malformed(error: json.JSONDecodeError) -> Invalid:
    # "Unterminated string" stands where the string began; everything else that is missing, where the text ends.
    if error.pos >= len(error.doc) or error.msg.startswith("Unterminated string"):
        return Invalid(_("The body ends in the middle: it was cut off."), code="truncated_json", characters=len(error.doc))
    return Invalid(_("The body is not JSON."), code="malformed_json", line=error.lineno, column=error.colno)


def _read_line(line: bytes) -> Row:
    try:
        return _row_decoder.decode(line)
    except _NO_ROWS:
        pass
    if line.count(b",") > _MOST_VALUES_OF_ONE:
        return refused("too_many_values", _("The line holds more values than one order can have."))
    try:
        return _as_row(json.loads(_text(line), parse_constant=_refuse_constant, parse_int=_integer))
    except RecursionError:
        return refused("too_deep", _("The line is nested too deeply."))
    except ValueError:
        return refused("malformed_json", _("The line is not JSON."))


def _text(body: bytes) -> str:
    # Bytes that are not UTF-8 become half surrogate pairs, as do such escapes: both are refused in the row they stand in.
    return body.decode("utf-8", "surrogateescape")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int | float:
    # Python refuses to read thousands of digits; that number is wrong in its row, and wrong nowhere else.
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def _as_row(row: Any) -> Row:
    try:
        return msgspec.convert(row, OrderRow)
    except (msgspec.ValidationError, RecursionError) as error:
        return unreadable(row, str(error))
    except UnicodeEncodeError:  # in a name, or in what should be a time
        said = row.get("reference") if isinstance(row, dict) else None
        return refused("invalid_text", _("The text holds characters that cannot be stored, or is not UTF-8."), said)
