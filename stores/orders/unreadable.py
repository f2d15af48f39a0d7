"""What is said of a row that has not the shape of an order: a code, a sentence, and the field by its path."""

import re

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from stores.orders.rows import UnreadableRow

_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `(?P<name>[^`]*)`")
_MISSING = re.compile(r"missing required field `(?P<name>[^`]*)`")
_EXPECTED = re.compile(r"Expected `(?P<kind>[a-z]+)")
_TIME = _("A time is RFC 3339 with its offset.")
_WANTED = {
    "array": _("A list belongs here."),
    "datetime": _TIME,
    "int": _("A quantity is a whole number or a decimal string with at most three places."),
    "object": _("An object belongs here."),
    "str": _("A text belongs here."),
}
"""By msgspec's name of the kind; amounts, which are whole numbers too, have a code of their own."""
_LONGEST = 64


def unreadable(said: object, message: str) -> UnreadableRow:
    """`said` is the row as it came, `message` what msgspec says of it."""
    reference = said.get("reference") if isinstance(said, dict) else None
    at = _PATH.search(message)
    path = at["path"] if at else ""
    if unknown := _UNKNOWN.search(message):
        return refused("unknown_field", _("There is no such field."), reference, field=_join(path, printable(unknown["name"])))
    if missing := _MISSING.search(message):
        return refused("missing_field", _("This field is required."), reference, field=_join(path, missing["name"]))
    if path.endswith("amount_minor"):
        sentence = _("An amount is a whole number of minor units, at most 65 000 000.")
        return refused("invalid_amount", sentence, reference, field=path)
    return refused("invalid_row", _wanted(message), reference, field=path)


def refused(code: str, detail: str | Promise, reference: object = None, *, field: str = "") -> UnreadableRow:
    """An unreadable row; of a reference that is a text, what can be shown."""
    shown = printable(reference) if isinstance(reference, str) else ""
    return UnreadableRow(reference=shown, code=code, detail=str(detail), field=field)


def printable(text: str) -> str:
    """The text as an answer can carry it: without control characters and half surrogate pairs, at most 64 long."""
    return "".join(character for character in text[:_LONGEST] if character.isprintable())


def _wanted(message: str) -> str | Promise:
    if message.startswith("Invalid RFC3339"):
        return _TIME
    expected = _EXPECTED.match(message)
    return _WANTED.get(expected["kind"] if expected else "", _("The row has not the shape of an order."))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
