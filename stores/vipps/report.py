"""The Report API v2: ledgers, and what happened on them by date or as a feed; the only source of payments in bulk.

Source: Vipps Report API v2, OpenAPI description and guide. It takes a sales unit's own keys, or accounting keys; never
a partner's. Production only. Entries never change; they come seconds after the event, sometimes hours.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

from stores.vipps.errors import OurDefect
from stores.vipps.exchange import Response
from stores.vipps.reading import Unreadable, read_moment, read_object, read_text
from stores.vipps.session import VippsSession
from stores.vipps.understanding import answer_of, unreadable

_LEDGERS = "/settlement/v1/ledgers"
_REPORTS = "/report/v2/ledgers"
_LEDGER_ID = re.compile(r"[A-Za-z0-9_-]{1,50}", re.ASCII)
_LONGEST_CURSOR = 2000
_LARGEST = 2**53

Found = TypeVar("Found")


class Topic(StrEnum):
    """Which of a ledger's two books."""

    FUNDS = "funds"
    FEES = "fees"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ledger:
    """One account that is settled together. `handles` names the units: `api:<MSN>`, or NO:, DK:, FI: and a number."""

    ledger_id: str
    currency: str | None
    handles: tuple[str, ...]
    owner: str | None
    bank_account: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerPage:
    """`cursor` is None on the last page."""

    items: tuple[Ledger, ...]
    cursor: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One line of a book; amounts in minor units, refunds and fees negative.

    `entry_type` is capture, refund, payout-scheduled, ... and may be one that is new; `psp_reference` is the event's.
    """

    entry_type: str
    amount: int
    currency: str
    time: datetime
    ledger_date: date
    psp_reference: str | None
    reference: str | None
    balance_before: int | None
    balance_after: int | None
    recipient_handle: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """`try_later`: what there is is not all yet. By date the cursor is None on the last page, in a feed never."""

    entries: tuple[Entry, ...]
    cursor: str | None
    has_more: bool
    try_later: bool


class Report:
    """Every method raises VippsError; a ledger that is unknown, or another's, is Misconfigured (404)."""

    def __init__(self, session: VippsSession) -> None:
        self._session = session

    def ledgers(self, *, handle: str | None = None, cursor: str | None = None) -> LedgerPage:
        """The ledgers that these keys may see, or those that settle for one handle such as `api:100001`."""
        operation = "report_ledgers"
        query = {"settlesForRecipientHandles": handle, "cursor": cursor}
        members, response = self._get(operation, _LEDGERS + _query(operation, query))
        return _read(
            operation,
            response,
            lambda: LedgerPage(
                items=tuple(_read_ledger(item) for item in _items(members)), cursor=_read_maybe(members, "cursor")
            ),
        )

    def by_date(self, ledger_id: str, day: date, *, topic: Topic = Topic.FUNDS, cursor: str | None = None) -> Page:
        """What is booked on one day of the ledger. A day that is not ready yet may be answered with 404."""
        operation = "report_by_date"
        path = f"{_book(operation, ledger_id, topic)}/dates/{day.isoformat()}"
        members, response = self._get(operation, path + _query(operation, {"cursor": cursor}))
        return _read(operation, response, lambda: _read_page(members, is_feed=False))

    def feed(self, ledger_id: str, *, topic: Topic = Topic.FUNDS, cursor: str | None = None) -> Page:
        """What was booked since `cursor`, oldest first. The new cursor is to be kept once the entries are."""
        operation = "report_feed"
        path = f"{_book(operation, ledger_id, topic)}/feed"
        members, response = self._get(operation, path + _query(operation, {"cursor": cursor}))
        return _read(operation, response, lambda: _read_page(members, is_feed=True))

    def _get(self, operation: str, path: str) -> tuple[dict[str, Any], Response]:
        response = self._session.call(operation, "GET", path, needs_unit=False)
        members, _ = answer_of(operation, response)
        return members, response


def _read(operation: str, response: Response, reading: Callable[[], Found]) -> Found:
    try:
        return reading()
    except Unreadable as error:
        raise unreadable(operation, response, error) from None


def _book(operation: str, ledger_id: str, topic: Topic) -> str:
    if not _LEDGER_ID.fullmatch(ledger_id):
        raise OurDefect(operation, detail="a ledger's id is letters, digits, hyphens and underscores")
    return f"{_REPORTS}/{ledger_id}/{topic.value}"


def _query(operation: str, members: dict[str, str | None]) -> str:
    given = {name: value for name, value in members.items() if value}
    if any(len(value) > _LONGEST_CURSOR for value in given.values()):
        raise OurDefect(operation, detail="a cursor or handle is too long")
    return f"?{urlencode(given)}" if given else ""


def _items(members: dict[str, Any]) -> list[Any]:
    items = members.get("items")
    if not isinstance(items, list):
        raise Unreadable("items is not a list")
    return items


def _read_ledger(item: object) -> Ledger:
    members = read_object(item)
    handles = members.get("settlesForRecipientHandles") or []
    if not isinstance(handles, list) or not all(isinstance(handle, str) for handle in handles):
        raise Unreadable("settlesForRecipientHandles is not a list of texts")
    return Ledger(
        ledger_id=read_text(members, "ledgerId"),
        currency=_read_maybe(members, "currency"),
        handles=tuple(handles),
        owner=_read_party(members, "owner"),
        bank_account=_read_party(members, "payoutBankAccount"),
    )


def _read_party(members: dict[str, Any], name: str) -> str | None:
    """As `business:NO:ORG:987654321`: the scheme says what the number is."""
    if members.get(name) is None:
        return None
    party = read_object(members[name])
    return f"{read_text(party, 'scheme')}:{read_text(party, 'id')}"


def _read_page(members: dict[str, Any], *, is_feed: bool) -> Page:
    return Page(
        entries=tuple(_read_entry(item) for item in _items(members)),
        cursor=read_text(members, "cursor") if is_feed else _read_maybe(members, "cursor"),
        has_more=_read_flag(members, "hasMore"),
        try_later=_read_flag(members, "tryLater"),
    )


def _read_entry(item: object) -> Entry:
    members = read_object(item)
    try:
        day = date.fromisoformat(read_text(members, "ledgerDate"))
    except ValueError:
        raise Unreadable("ledgerDate is not a date") from None
    return Entry(
        entry_type=read_text(members, "entryType"),
        amount=_read_signed(members, "amount"),
        currency=read_text(members, "currency"),
        time=read_moment(read_text(members, "time")),
        ledger_date=day,
        psp_reference=_read_maybe(members, "pspReference"),
        reference=_read_maybe(members, "reference"),
        balance_before=_read_balance(members, "balanceBefore"),
        balance_after=_read_balance(members, "balanceAfter"),
        recipient_handle=_read_maybe(members, "recipientHandle"),
    )


def _read_signed(members: dict[str, Any], name: str) -> int:
    value = members.get(name)
    if type(value) is not int or not -_LARGEST <= value <= _LARGEST:
        raise Unreadable(f"{name} is not an amount in minor units")
    return value


def _read_balance(members: dict[str, Any], name: str) -> int | None:
    return None if members.get(name) is None else _read_signed(members, name)


def _read_flag(members: dict[str, Any], name: str) -> bool:
    value = members.get(name, False)
    if not isinstance(value, bool):
        raise Unreadable(f"{name} is not a boolean")
    return value


def _read_maybe(members: dict[str, Any], name: str) -> str | None:
    value = members.get(name)
    return None if value is None or value == "" else read_text(members, name)
