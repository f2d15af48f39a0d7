"""The settlement ledger: Vipps' own book of funds, read through the keys of each sales unit, page by page.

A page's entries, the orders that they tell of and the cursor behind it are one transaction, so a reader that dies goes on
where it was; an entry read twice is kept once. A unit's first reading begins with the first that it ever settled. Only for
the processes that may open keys (Vipps: Report API v2, guide; partner keys cannot read it).
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _

from stores import access, audit, clock
from stores.access import Right
from stores.actors import Actor
from stores.errors import Conflict, HubError
from stores.events import SettlementBegun
from stores.models import SalesUnit, SettlementAccess, SettlementEntry, SettlementFeed, User
from stores.orders import index_settled
from stores.sessions import open_session
from stores.vipps.errors import Misconfigured, Refused, Unauthorized, VippsError
from stores.vipps.report import Entry, Ledger, Page, Report

logger = logging.getLogger(__name__)

PAGES_IN_ONE_GO = 20
LEASE = timedelta(minutes=15)
"""How long a reader has a sales unit to itself."""
_LATER = timedelta(minutes=15)
_HOPELESS = timedelta(hours=24)
_BUSY_MINUTES = 11
"""Vipps asks not to be read in the first ten minutes of an hour (Vipps: Report API, guide)."""

_HANDLE = "api:"
_LONGEST_PROBLEM = 120

Kept = Callable[[Sequence[SettlementEntry]], None]
"""What to do with the entries of a page within the transaction that keeps them; they may have been there before."""


def know_units() -> int:
    """Give every sales unit with keys a row that says when to read its settlement; how many are new."""
    units = SalesUnit.objects.filter(key_set__version__gt=0, settlement_access=None)
    rows = [SettlementAccess(sales_unit=unit) for unit in units]
    SettlementAccess.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def read_settlement(sales_unit_id: int, *, by: Actor, kept: Kept) -> int:
    """Read on from where the last reading of this sales unit ended; how many pages. 0 when not due, or being read.

    What Vipps or the vault refuses is noted on the row with the next try, and never raised.
    """
    unit = _claim(sales_unit_id)
    if unit is None:
        return 0
    pages = 0
    try:
        report = Report(open_session(unit, by=by, why="read the settlement"))
        for ledger in _ledgers(report, unit):
            pages += _read_feed(report, unit, ledger, kept=kept, by=by)
    except HubError as error:
        _put_off(unit, error.code, _HOPELESS)
    except (Misconfigured, Refused, Unauthorized) as error:
        _put_off(unit, f"{type(error).__name__}: {error.status} {error.code or error.detail}", _HOPELESS)
    except VippsError as error:
        _put_off(unit, str(error), _LATER)
    else:
        _note(unit, is_complete=pages < PAGES_IN_ONE_GO)
    return pages


def read_from_the_beginning(unit: SalesUnit, *, asker: User, by: Actor) -> None:
    """Headquarters' button: read all that the unit ever settled once more, so that every payment of it is an order.

    What was read stays, and what was complete stays so. Raises Forbidden, Conflict (no_keys).
    """
    access.require(asker, Right.RECONCILE)
    if unit.key_set is None or not unit.key_set.has_keys:
        raise Conflict(_("The sales unit has no keys to read its settlement with."), code="no_keys")
    with transaction.atomic():
        now = clock.db_now()
        SettlementAccess.objects.bulk_create([SettlementAccess(sales_unit=unit)], ignore_conflicts=True)
        SettlementAccess.objects.filter(sales_unit=unit).update(next_read_at=now, nudged_at=None)
        SettlementFeed.objects.filter(sales_unit=unit).update(
            cursor="", begun_at=now, entries=0, orders=0, latest_at=None
        )
        audit.record(
            SettlementBegun(msn=unit.msn),
            by=by,
            company=unit.company,
            store=None,
            about=audit.Subject(type="sales_unit", id=str(unit.public_id)),
        )


def _claim(sales_unit_id: int) -> SalesUnit | None:
    now = clock.db_now()
    due = SettlementAccess.objects.filter(sales_unit=sales_unit_id, next_read_at__lte=now)
    if not due.update(next_read_at=now + LEASE):
        return None
    return SalesUnit.objects.get(pk=sales_unit_id)


def _ledgers(report: Report, unit: SalesUnit) -> Iterator[Ledger]:
    """The ledgers that settle for the unit: one as a rule, but Vipps' pages do not promise it."""
    cursor: str | None = None
    for _page in range(PAGES_IN_ONE_GO):
        page = report.ledgers(handle=f"{_HANDLE}{unit.msn}", cursor=cursor)
        yield from page.items
        cursor = page.cursor
        if cursor is None:
            return


def _read_feed(report: Report, unit: SalesUnit, ledger: Ledger, *, kept: Kept, by: Actor) -> int:
    feed, _is_new = SettlementFeed.objects.get_or_create(sales_unit=unit, ledger_id=ledger.ledger_id)
    for number in range(1, PAGES_IN_ONE_GO + 1):
        asked_at = clock.db_now()
        page = report.feed(ledger.ledger_id, cursor=feed.cursor or None)
        is_last = page.try_later or not page.entries
        if not _keep(feed, page, asked_at=asked_at, is_last=is_last, kept=kept, by=by) or is_last:
            return number
    return PAGES_IN_ONE_GO


def _keep(feed: SettlementFeed, page: Page, *, asked_at: datetime, is_last: bool, kept: Kept, by: Actor) -> bool:
    """Entries, orders and cursor in one transaction. False where somebody else has read on from the same cursor meanwhile."""
    with transaction.atomic(durable=True):
        changes: dict[str, Any] = {"complete_at": asked_at} if is_last else {}
        if page.entries:
            changes["latest_at"] = Greatest("latest_at", max(entry.time for entry in page.entries))
        is_ours = SettlementFeed.objects.filter(pk=feed.pk, cursor=feed.cursor, begun_at=feed.begun_at).update(
            cursor=page.cursor or feed.cursor,
            entries=F("entries") + len(page.entries),
            last_read_at=asked_at,
            **changes,
        )
        if not is_ours:
            return False
        units = _units_named(feed.sales_unit, page.entries)
        rows = [_row(entry, feed, units, read_at=asked_at) for entry in page.entries]
        SettlementEntry.objects.bulk_create(rows, ignore_conflicts=True)
        _name_units(rows, feed)
        if found := index_settled(rows, by=by).created:
            SettlementFeed.objects.filter(pk=feed.pk).update(orders=F("orders") + found)
        kept(rows)
    feed.cursor = page.cursor or feed.cursor
    return True


def _units_named(unit: SalesUnit, entries: Sequence[Entry]) -> dict[str | None, SalesUnit]:
    """The sales units that the entries name, by handle; an entry that names none is the unit's whose keys read it."""
    msns = {entry.recipient_handle.removeprefix(_HANDLE) for entry in entries if entry.recipient_handle}
    known = SalesUnit.objects.filter(company=unit.company_id, environment=unit.environment, msn__in=msns)
    return {None: unit, **{f"{_HANDLE}{each.msn}": each for each in known}}


def _row(
    entry: Entry, feed: SettlementFeed, units: dict[str | None, SalesUnit], *, read_at: datetime
) -> SettlementEntry:
    return SettlementEntry(
        environment=feed.sales_unit.environment,
        ledger_id=feed.ledger_id,
        sales_unit=units.get(entry.recipient_handle),
        entry_type=_cut(entry.entry_type, 60),
        psp_reference=_cut(entry.psp_reference or "", 80),
        reference=_cut(entry.reference or "", 80),
        amount_minor=entry.amount,
        currency=_cut(entry.currency, 10),
        at=entry.time,
        ledger_date=entry.ledger_date,
        read_at=read_at,
    )


def _name_units(rows: Sequence[SettlementEntry], feed: SettlementFeed) -> None:
    """Lines that were kept before the hub knew their sales unit are given it, or `orders` would never see them."""
    known = {_key(row): row.sales_unit_id for row in rows if row.sales_unit_id is not None}
    nobodys = SettlementEntry.objects.filter(
        environment=feed.sales_unit.environment,
        ledger_id=feed.ledger_id,
        psp_reference__in={row.psp_reference for row in rows},
        sales_unit=None,
    )
    found: dict[int, list[int]] = {}
    for kept in nobodys.select_for_update(no_key=True).order_by("pk"):
        if unit_id := known.get(_key(kept)):
            found.setdefault(unit_id, []).append(kept.pk)
    for unit_id, keys in found.items():
        SettlementEntry.objects.filter(pk__in=keys).update(sales_unit=unit_id)


def _key(entry: SettlementEntry) -> tuple[str, str, datetime, int]:
    """What tells the lines of one ledger apart (`settled_once`)."""
    return entry.psp_reference, entry.entry_type, entry.at, entry.amount_minor


def _cut(text: str, longest: int) -> str:
    """As much as the column holds: one odd line must not keep a ledger from being read."""
    return text.replace("\0", "")[:longest]


def _note(unit: SalesUnit, *, is_complete: bool) -> None:
    now = clock.db_now()
    SettlementAccess.objects.filter(sales_unit=unit).update(
        next_read_at=_next_hour(now) if is_complete else now, last_read_at=now, problem=""
    )


def _next_hour(now: datetime) -> datetime:
    later = now + timedelta(hours=1)
    return later if later.minute >= _BUSY_MINUTES else later.replace(minute=_BUSY_MINUTES)


def _put_off(unit: SalesUnit, problem: str, wait: timedelta) -> None:
    logger.warning("the settlement of sales unit %s cannot be read: %s", unit.pk, problem)
    SettlementAccess.objects.filter(sales_unit=unit).update(
        next_read_at=clock.db_now() + wait, problem=problem[:_LONGEST_PROBLEM]
    )
