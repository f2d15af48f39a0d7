"""Refunds from a CSV file, through the same verb as the desk: each row is one person's wish, accepted or refused whole."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from refunds import identity, intake, rulebooks, wishes
from refunds.models import Refund
from refunds.targets import order_meant
from stores import access, clock
from stores.access import Right
from stores.actors import Actor
from stores.errors import HubError, Invalid
from stores.models import Store, User
from stores.money import CURRENCIES, MAX_MINOR, Money

REQUIRED = ("key", "amount_minor", "currency", "reason", "reason_text")
NAMES_ORDER = ("order_id", "store", "reference", "channel")
MOST_ROWS = 1_000
_LARGEST_FILE = 1024 * 1024
_FIRST_ROW = 2
"""As a spreadsheet counts: the header is row 1."""
_COLUMN_OF = {"Idempotency-Key": "key", "amount": "amount_minor", "amount.currency": "currency"}


class Outcome(StrEnum):
    """What became of a row."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    ALLOWED = "allowed"  # a rehearsal: the rules allow it as things stand
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class RowOutcome:
    """`row` counts as a spreadsheet does. A refusal has its code, sentence and field; else `refund` is the row's."""

    row: int
    outcome: Outcome
    refund: Refund | None = None
    code: str = ""
    detail: str = ""
    field: str = ""


@dataclass(frozen=True, kw_only=True)
class _Wish:
    row: int
    cells: dict[str, str]
    is_whole: bool


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A file that was read whole, and who asks for it in which store."""

    wishes: tuple[_Wish, ...]
    asker: User
    store: Store
    by: Actor

    def request(self) -> Iterator[RowOutcome]:
        """Ask for the rows one after the other. A second run, whole or after a stop, repeats what was accepted before."""
        for wish in self.wishes:
            yield self._outcome(wish, is_rehearsal=False)

    def rehearse(self) -> Iterator[RowOutcome]:
        """What would become of each row by itself, as things stand; writes nothing."""
        for wish in self.wishes:
            yield self._outcome(wish, is_rehearsal=True)

    def _outcome(self, wish: _Wish, *, is_rehearsal: bool) -> RowOutcome:
        try:
            return self._rehearsed(wish) if is_rehearsal else self._requested(wish)
        except HubError as error:
            return RowOutcome(
                row=wish.row,
                outcome=Outcome.REFUSED,
                code=error.code,
                detail=str(error.sentence),
                field=_COLUMN_OF.get(error.field, error.field),
            )

    def _requested(self, wish: _Wish) -> RowOutcome:
        request_key, money = _request_key(wish), _money(wish)
        client_id = intake.client_of(self.asker, self.store)
        accepted = intake.request_refund(
            order_meant(_order_named(wish), asker=self.asker, client_id=client_id, request_key=request_key),
            money,
            reason=wish.cells["reason"],
            reason_text=wish.cells["reason_text"],
            refunding_store=self.store,
            client_id=client_id,
            request_key=request_key,
            asker=self.asker,
            by=self.by,
        )
        outcome = Outcome.ACCEPTED if accepted.is_new else Outcome.REPEATED
        return RowOutcome(row=wish.row, outcome=outcome, refund=accepted.refund)

    def _rehearsed(self, wish: _Wish) -> RowOutcome:
        request_key, money = _request_key(wish), _money(wish)
        client_id = intake.client_of(self.asker, self.store)
        named = order_meant(_order_named(wish), asker=self.asker, client_id=client_id, request_key=request_key)
        order = access.order_for(self.asker, named)
        wishes.check_request_key(request_key)
        words = wishes.clean_words(wish.cells["reason"], wish.cells["reason_text"])
        earlier = Refund.objects.filter(pk=identity.refund_id(client_id, request_key)).first()
        if earlier is not None:
            return RowOutcome(row=wish.row, outcome=Outcome.REPEATED, refund=earlier)
        book = rulebooks.in_force(order.store.company_id, now=clock.db_now())
        wishes.check_reason(wish.cells["reason"], words, book=book)
        intake.decide(order, money, refunding_store=self.store, asker=self.asker, reason=wish.cells["reason"])
        return RowOutcome(row=wish.row, outcome=Outcome.ALLOWED)


def read_batch(content: bytes, *, asker: User, store: Store, by: Actor) -> Batch:
    """Read a CSV file (UTF-8, comma or semicolon, a header line) whole; nothing is asked for yet.

    Columns: key (the row's own, for ever), amount_minor (whole minor units), currency, reason, reason_text, and the order
    by order_id or by store and reference (and channel, where both are not enough). Raises Forbidden, and Invalid for a
    file that is none of this.
    """
    access.require(asker, Right.REQUEST_REFUND, store=store)
    wishes = tuple(_wishes(content))
    if not wishes:
        raise Invalid(_("The file holds no refunds."), code="empty_file", field="file")
    return Batch(wishes=wishes, asker=asker, store=store, by=by)


def _wishes(content: bytes) -> Iterator[_Wish]:
    if len(content) > _LARGEST_FILE:
        raise Invalid(_("The file is larger than 1 MiB."), code="file_too_large", field="file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(_("The file is not in UTF-8."), code="not_utf8", field="file") from None
    header = text.split("\n", 1)[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in header else ",", strict=True)
    try:
        _check_columns(list(reader.fieldnames or []))
        for row, record in enumerate(reader, _FIRST_ROW):
            if row >= _FIRST_ROW + MOST_ROWS:
                raise Invalid(_("The file holds more than 1,000 refunds."), code="too_many_rows", field="file")
            yield _wish(row, record)
    except csv.Error as error:
        raise Invalid(_("The file is not CSV."), code="not_csv", field="file", line=reader.line_num) from error


def _check_columns(found: list[str]) -> None:
    missing = [name for name in REQUIRED if name not in found]
    unknown = [name for name in found if name not in REQUIRED + NAMES_ORDER]
    names_an_order = "order_id" in found or {"store", "reference"} <= set(found)
    if missing or unknown or not names_an_order or len(found) != len(set(found)):
        raise Invalid(
            _("The columns are key, amount_minor, currency, reason, reason_text, and order_id or store and reference."),
            code="wrong_columns",
            field="file",
            missing=missing,
            unknown=unknown,
        )


def _wish(row: int, record: dict[str, str | None]) -> _Wish:
    is_whole = None not in record and None not in record.values()
    return _Wish(row=row, cells={name: value or "" for name, value in record.items() if name is not None}, is_whole=is_whole)


def _request_key(wish: _Wish) -> str:
    """The row's key among those of its store's desk, apart from the keys that the desk's pages make."""
    if not wish.is_whole:
        raise Invalid(_("The row has more or fewer columns than the header."), code="wrong_columns")
    if not wish.cells["key"].strip():
        raise Invalid(_("Give each row a key of its own, the same in every run."), code="key_needed", field="key")
    return f"file:{wish.cells['key'].strip()}"


def _money(wish: _Wish) -> Money:
    # int() would also take underscores, signs and other scripts' digits.
    amount, currency = wish.cells["amount_minor"], wish.cells["currency"]
    is_number = amount.isascii() and amount.isdecimal() and len(amount) <= 12
    if not is_number or not 1 <= int(amount) <= MAX_MINOR:
        sentence = _("An amount is a whole number of minor units, 1 to 65 000 000.")
        raise Invalid(sentence, code="invalid_amount", field="amount_minor")
    if currency not in CURRENCIES:
        raise Invalid(_("The currency is not one of Vipps MobilePay's."), code="wrong_currency", field="currency")
    return Money(amount_minor=int(amount), currency=currency)


def _order_named(wish: _Wish) -> dict[str, str]:
    named = {name: wish.cells[name].strip() for name in NAMES_ORDER if wish.cells.get(name, "").strip()}
    by_reference = {"store", "reference"} <= named.keys()
    if ("order_id" in named) == by_reference or ("order_id" in named and len(named) > 1):
        raise Invalid(
            _("Name the order by its id, or by store and reference; not both."), code="order_not_named", field="order_id"
        )
    return named
