"""How a chain writes its references, such as `{store}-{yyyymmdd}-{number}`, and what a part of one says of store and day.

Pure. Keys have no separators (`stores.models.reference_key`), so a template is compared without them too.
"""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

LONGEST = 80
_DATES = {"yyyy": 4, "yy": 2, "mm": 2, "dd": 2}
_SHORT = {
    "yyyymmdd": ("yyyy", "mm", "dd"),
    "yymmdd": ("yy", "mm", "dd"),
    "ddmmyyyy": ("dd", "mm", "yyyy"),
    "ddmmyy": ("dd", "mm", "yy"),
}
_FREE = {"store": 20, "number": 20, "till": 8}
"""What has no fixed length, and how long it is at most."""
FIELDS = (*_FREE, *_SHORT, *_DATES)
_PIECE = re.compile(r"\{([a-z]+)\}|([A-Za-z0-9]+)|[-./_ ]+")
_MOST_READINGS = 2_000
_YEARS = (2015, 2099)


class NotATemplate(ValueError):
    """`reason` is one of: empty, sign, field, twice, useless; `at` is what it is about."""

    def __init__(self, reason: str, at: str = "") -> None:
        super().__init__(f"{reason}: {at}")
        self.reason = reason
        self.at = at


@dataclass(frozen=True, kw_only=True)
class Guess:
    """A store's code and the first and last day of the payment, as far as a part of a reference says; "" and None."""

    code: str = ""
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """What was read so far."""

    values: Mapping[str, str] = field(default_factory=dict)

    def with_value(self, name: str, value: str) -> "_Reading":
        return _Reading(values={**self.values, name: value})

    def guess(self) -> Guess | None:
        """None where the reading says neither store nor day, or a day that no order can have been paid on."""
        code = self.values.get("store", "")
        if not self.values.keys() & {"yyyy", "yy"}:
            return Guess(code=code) if code else None
        days = _days(self.values)
        return Guess(code=code, first=days[0], last=days[1]) if days else None


@dataclass(frozen=True, kw_only=True)
class Template:
    """The pieces in their order: a field's name in braces, or letters and digits that stand in every reference."""

    pieces: Sequence[str]

    def guesses(self, key: str) -> list[Guess]:
        """What the key may say, those that say most first; which codes are stores is for the caller to know."""
        readings = (
            reading
            for start in range(len(self.pieces))
            for reading in _from_within(self.pieces[start:], key, is_first=start == 0)
        )
        found = {guess: None for reading in islice(readings, _MOST_READINGS) if (guess := reading.guess())}
        return sorted(found, key=lambda guess: (not (guess.code and guess.first), not guess.code, _width(guess)))


def parse_template(text: str) -> Template:
    """Raises NotATemplate for what names neither store nor year, or a field that does not exist or stands twice."""
    pieces: list[str] = []
    end = 0
    for found in _PIECE.finditer(text.strip()):
        if found.start() != end:
            break
        end = found.end()
        if found[1]:
            if found[1] not in FIELDS:
                raise NotATemplate("field", f"{{{found[1]}}}")
            pieces += [f"{{{name}}}" for name in _SHORT.get(found[1], (found[1],))]
        elif found[2]:
            pieces.append(found[2].upper())
    if end != len(text.strip()):
        raise NotATemplate("sign", text.strip()[end])
    if not pieces:
        raise NotATemplate("empty")
    fields = [piece for piece in pieces if piece.startswith("{")]
    for piece in fields:
        if fields.count(piece) > 1:
            raise NotATemplate("twice", piece)
    if not {"{store}", "{yyyy}", "{yy}"} & set(fields):
        raise NotATemplate("useless")
    return Template(pieces=tuple(pieces))


def _from_within(pieces: Sequence[str], key: str, *, is_first: bool) -> Iterator[_Reading]:
    """A fragment may begin inside the first piece, if that has no fixed length or stands in every reference."""
    yield from _read(pieces, key, _Reading())
    first, rest = pieces[0], pieces[1:]
    if first == "{store}":
        for length in range(1, min(_FREE["store"], len(key))):
            yield from _read(rest, key[length:], _Reading())
    elif not first.startswith("{"):
        for start in range(1, len(first)):
            if key.startswith(first[start:]):
                yield from _read(rest, key[len(first) - start :], _Reading())


def _read(pieces: Sequence[str], key: str, so_far: _Reading) -> Iterator[_Reading]:
    """Every way in which the key, from its first to its last character, is a beginning of the pieces."""
    if not key:
        yield so_far
        return
    if not pieces:
        return
    first, rest = pieces[0], pieces[1:]
    name = first.strip("{}")
    if not first.startswith("{"):
        if key.startswith(first) or first.startswith(key):
            yield from _read(rest, key[len(first) :], so_far)
    elif name in _DATES:
        digits = key[: _DATES[name]]
        if digits.isdigit():
            whole = so_far.with_value(name, digits) if len(digits) == _DATES[name] else so_far
            yield from _read(rest, key[len(digits) :], whole)
    else:
        for length in range(min(_FREE[name], len(key)), 0, -1):
            if name != "number" or key[:length].isdigit():
                yield from _read(rest, key[length:], so_far.with_value(name, key[:length]))


def _days(values: Mapping[str, str]) -> tuple[date, date] | None:
    year = int(values["yyyy"]) if "yyyy" in values else 2000 + int(values["yy"])
    month = int(values.get("mm", 0))
    day = int(values.get("dd", 0)) if "mm" in values else 0
    if not _YEARS[0] <= year <= _YEARS[1] or ("mm" in values and not 1 <= month <= 12):
        return None
    try:
        first = date(year, month or 1, day or 1)
        return first, date(year, month or 12, day or monthrange(year, month or 12)[1])
    except ValueError:
        return None


def _width(guess: Guess) -> int:
    return (guess.last - guess.first).days if guess.first and guess.last else 10_000
