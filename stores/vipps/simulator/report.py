"""Report v2: ledgers, and what was booked on them by date and as a feed. Operations: ledgers, by_date, feed.

Source: Vipps Report API. Open to a sales unit's own keys and to accounting keys; partner keys do not work. A day ends at
midnight UTC here.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from stores.vipps.simulator.access import Access, Denied
from stores.vipps.simulator.books import Books
from stores.vipps.simulator.clock import VirtualClock, iso, moment
from stores.vipps.simulator.funds import FundsEntry, Topic
from stores.vipps.simulator.merchants import HolderKind, Merchants, SalesUnit
from stores.vipps.simulator.problems import gateway
from stores.vipps.simulator.side_door import SideDoor, refusal
from stores.vipps.simulator.switches import Switches
from stores.vipps.simulator.wire import Call, Reply, json_reply

_LEDGERS = "/settlement/v1/ledgers"
_ENTRIES = re.compile(
    r"/report/v2/ledgers/([0-9A-Za-z-]{1,40})/(funds|fees)/(?:(feed)|dates/([0-9]{4}-[0-9]{2}-[0-9]{2}))", re.ASCII
)
PAGE = 1_000


class ReportApi:
    def __init__(
        self,
        *,
        books: Books,
        merchants: Merchants,
        access: Access,
        door: SideDoor,
        clock: VirtualClock,
        switches: Switches,
    ) -> None:
        self._books = books
        self._merchants = merchants
        self._access = access
        self._door = door
        self._clock = clock
        self._switches = switches

    def answer(self, call: Call) -> Reply | None:
        """None if the call is none of ours."""
        found = _ENTRIES.fullmatch(call.path)
        if call.method != "GET" or (found is None and call.path != _LEDGERS):
            return None
        if self._switches.environment == "test":
            return gateway(404, "Resource not found")
        operation = "ledgers" if found is None else "feed" if found[3] else "by_date"
        return self._door.answer(call, lambda: self._do(call, found), api="report", operation=operation)

    def _do(self, call: Call, found: re.Match[str] | None) -> Reply:
        units = self._units(call)
        if isinstance(units, Reply):
            return units
        ledgers = _by_ledger(units)
        try:
            start = _read_cursor(call.query.get("cursor", ""))
        except ValueError:
            return refusal(400, "The cursor is not valid.", path=call.path)
        if found is None:
            return self._list(call, ledgers, start)
        mine = ledgers.get(found[1])
        if mine is None:
            return refusal(404, "No such ledgerId.", path=call.path)
        topic = cast("Topic", found[2])
        entries = self._with_balances(topic, mine)
        return self._feed(entries, start) if found[3] else self._by_date(call, entries, found[4], start)

    def _units(self, call: Call) -> list[SalesUnit] | Reply:
        """Whose reports these keys may read."""
        holder = self._access.identify(call.headers, now=self._clock.now(), takes_special=True)
        if isinstance(holder, Denied):
            return holder.reply
        is_special = not call.headers.get("ocp-apim-subscription-key")
        if holder.is_partner or is_special is not (holder.kind is HolderKind.ACCOUNTANT):
            return gateway(403, "These keys cannot be used with the Report API.")
        return self._merchants.active_units(holder.msns)

    def _list(self, call: Call, ledgers: dict[str, list[SalesUnit]], start: int) -> Reply:
        wanted = call.query.get("settlesForRecipientHandles")
        shown = [
            _ledger_view(ledger_id, units)
            for ledger_id, units in sorted(ledgers.items())
            if wanted is None or wanted in {f"api:{unit.msn}" for unit in units}
        ]
        page, more = shown[start : start + PAGE], len(shown) > start + PAGE
        return json_reply({"items": page, "cursor": _write_cursor(start + PAGE) if more else ""})

    def _with_balances(self, topic: Topic, units: list[SalesUnit]) -> list[tuple[FundsEntry, int]]:
        """Each entry with the balance before it, as far as entries have got into the report by now."""
        visible_until = self._clock.now() - self._switches.report_lag
        self._books.settle_doubtful()
        found: list[tuple[FundsEntry, int]] = []
        balance = 0
        for entry in self._books.ledger.funds.entries(topic, frozenset(unit.msn for unit in units)):
            if entry.at > visible_until:
                break
            found.append((entry, balance))
            balance += entry.amount
        return found

    def _feed(self, entries: list[tuple[FundsEntry, int]], start: int) -> Reply:
        page = entries[start : start + PAGE]
        end = start + len(page)
        return json_reply({"items": self._views(page), "cursor": _write_cursor(end), "tryLater": end >= len(entries)})

    def _by_date(self, call: Call, entries: list[tuple[FundsEntry, int]], date: str, start: int) -> Reply:
        try:
            ends = datetime.fromisoformat(date).replace(tzinfo=UTC) + timedelta(days=1)
        except ValueError:
            return refusal(400, "The date is not valid.", path=call.path)
        is_over = self._clock.now() >= ends.timestamp() + self._switches.report_lag
        if not is_over and self._switches.report_not_ready == "not_found":
            return refusal(404, "The report for this date is not available yet.", path=call.path)
        of_date = [each for each in entries if _date_of(each[0]) == date]
        page, more = of_date[start : start + PAGE], len(of_date) > start + PAGE
        view: dict[str, Any] = {"items": self._views(page), "hasMore": more, "tryLater": not is_over}
        if more:
            view["cursor"] = _write_cursor(start + PAGE)
        return json_reply(view)

    def _views(self, entries: list[tuple[FundsEntry, int]]) -> list[dict[str, Any]]:
        return [
            {
                "pspReference": str(entry.psp),
                "time": iso(entry.at, digits=7),
                "ledgerDate": _date_of(entry),
                "entryType": self._switches.payout_entry if entry.kind == "payout-scheduled" else entry.kind,
                "reference": entry.reference,
                "currency": entry.currency,
                "amount": entry.amount,
                "balanceBefore": before,
                "balanceAfter": before + entry.amount,
                "recipientHandle": f"api:{entry.msn}",
            }
            for entry, before in entries
        ]


def _by_ledger(units: list[SalesUnit]) -> dict[str, list[SalesUnit]]:
    ledgers: dict[str, list[SalesUnit]] = {}
    for unit in units:
        ledgers.setdefault(unit.ledger_id, []).append(unit)
    return ledgers


def _ledger_view(ledger_id: str, units: list[SalesUnit]) -> dict[str, Any]:
    handles = [f"api:{unit.msn}" for unit in units]
    return {
        "ledgerId": ledger_id,
        "currency": units[0].currency,
        "payoutBankAccount": {"scheme": "BBAN:NO", "id": "86011117947"},
        "owner": {"scheme": "business:NO:ORG", "id": units[0].business},
        "settlesForRecipientHandles": handles,
        "salesUnits": [{"name": unit.name, "recipientHandle": f"api:{unit.msn}"} for unit in units],
    }


def _date_of(entry: FundsEntry) -> str:
    return moment(entry.at).date().isoformat()


def _write_cursor(number: int) -> str:
    return base64.urlsafe_b64encode(f"from:{number}".encode()).decode()


def _read_cursor(text: str) -> int:
    """Raises ValueError."""
    if not text:
        return 0
    word, _, number = base64.urlsafe_b64decode(text).decode().partition(":")
    if word != "from" or not number.isdecimal():
        raise ValueError(text)
    return int(number)
