"""Everybody who may tell the hub of a payment, each as a message that can be told in any order and any number of times."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from refunds import comparison, discovering, doorbell, settling
from stores import access, clock, importing, sessions, settlements
from stores.actors import hub
from stores.discovery import questions
from stores.models import Notice, Order, PaymentToRead, SettlementFeed, StoreUnit, UnplacedPayment
from stores.orders import AmountRow, Confirmed, LineRow, OrderRow, confirm_orders, index_orders, place_again
from stores.vipps.report import Entry, Page, Report
from tests.conftest import Chain
from tests.stores.telling import told
from tests.vipps_notices import VIPPS, body_of, registered

WORKER = hub("worker")
Message = Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class Truth:
    """One payment as it really was, and what its till makes of it. Amounts in minor units.

    `unit` is whose sales unit took it, `till` which store's till tells of it, "" where none does. `later_minor` is captured
    in a second go. The till's clock is `late` minutes late.
    """

    unit: str
    reference: str
    till: str
    first_minor: int
    later_minor: int = 0
    refunded_minor: int = 0
    claimed_minor: int = 25_000
    late: int = 0
    channel: str | None = None
    store_in_metadata: str = ""


def hand_over(chain: Chain, paid_at: datetime) -> None:
    """Oslo's sales unit was Bergen's, online, until two hours after `paid_at`: near that only a till knows who sold."""
    unit, when = chain.units["OSL"], paid_at + timedelta(hours=2)
    StoreUnit.objects.filter(sales_unit=unit).update(valid_from=when)
    StoreUnit.objects.create(
        store=chain.bergen, sales_unit=unit, channel="online", valid_from=paid_at - timedelta(days=90), valid_until=when
    )


def happen(chain: Chain, truth: Truth, paid_at: datetime) -> None:
    """At Vipps."""
    msn = chain.units[truth.unit].msn
    metadata = {"receiptNumber": f"V-{truth.reference[-2:]}"}
    chain.simulator.add_payment(
        msn,
        truth.reference,
        amount_minor=25_000,
        captured_minor=truth.first_minor,
        paid_at=paid_at,
        metadata=metadata | ({"store": truth.store_in_metadata} if truth.store_in_metadata else {}),
    )
    if truth.later_minor:
        chain.simulator.portal_capture(msn, truth.reference, truth.later_minor)
    if truth.refunded_minor:
        chain.simulator.portal_refund(msn, truth.reference, truth.refunded_minor)


def messages(chain: Chain, truth: Truth, paid_at: datetime) -> list[Message]:
    """All that will ever be said of this payment, by everybody."""
    return [
        *(_from_the_till(chain, truth, paid_at) if truth.till else []),
        *[_notice(chain, truth, name, number) for number, name in enumerate(("AUTHORIZED", "CAPTURED", "REFUNDED"))],
        *[_page(chain, truth, entry) for entry in _settled(chain, truth)],
        lambda: _look_up(chain, truth),
        lambda: _compare(truth),
        lambda: confirm_orders([_late_answer(chain, truth, paid_at)], by=WORKER),
        _place_again,
    ]


def _from_the_till(chain: Chain, truth: Truth, paid_at: datetime) -> list[Message]:
    """Over REST bare and in full, and in a file that headquarters imports."""
    said_at = paid_at + timedelta(minutes=truth.late)
    amount = AmountRow(amount_minor=truth.claimed_minor, currency="NOK")
    bare = OrderRow(reference=truth.reference, amount=amount, paid_at=said_at, channel=truth.channel)
    lines = (LineRow(name="Boots", quantity=1, amount_minor=truth.claimed_minor),)
    full = OrderRow(
        reference=truth.reference,
        amount=amount,
        paid_at=said_at,
        channel=truth.channel,
        receipt_number=f"R-{truth.reference[-2:]}",
        lines=lines,
    )
    system = chain.systems[truth.till]
    return [
        lambda: index_orders([bare], system=system, by=chain.by),
        lambda: index_orders([full], system=system, by=chain.by),
        lambda: _import(chain, truth, said_at),
    ]


def _import(chain: Chain, truth: Truth, said_at: datetime) -> None:
    said = (truth.reference, truth.claimed_minor, "NOK", said_at.isoformat(), truth.channel or "", f"R-{truth.reference[-2:]}")
    text = "reference,amount_minor,currency,paid_at,channel,receipt_number\n" + ",".join(map(str, said))
    taken = importing.take_file(
        io.BytesIO(f"{text}\n".encode()), name="x.csv", system=chain.systems[truth.till], asker=chain.hanne
    )
    importing.work_on(taken.pk)
    importing.start_import(taken, asker=chain.hanne, by=chain.by)
    importing.work_on(taken.pk)


def _notice(chain: Chain, truth: Truth, name: str, number: int) -> Message:
    unit = chain.units[truth.unit]

    def tell() -> None:
        registration = unit.webhook_registrations.first() or registered(unit, provider_id=f"vipps-{unit.msn}")
        psp = f"{truth.reference}-{number}"
        VIPPS.send(registration.url, body_of(unit.msn, truth.reference, name=name, psp_reference=psp))
        doorbell.answer(Notice.objects.latest("pk").pk)
        for row_id in PaymentToRead.objects.values_list("pk", flat=True):
            discovering.read(row_id, by=WORKER)

    return tell


def _settled(chain: Chain, truth: Truth) -> list[Entry]:
    session = sessions.open_session(chain.units[truth.unit], by=WORKER, why="a test's settlement")
    report = Report(session)
    [ledger] = report.ledgers().items
    return [entry for entry in report.feed(ledger.ledger_id).entries if entry.reference == truth.reference]


def _page(chain: Chain, truth: Truth, entry: Entry) -> Message:
    """One line of the settlement as a page of its own."""

    def tell() -> None:
        unit = chain.units[truth.unit]
        feed, _is_new = SettlementFeed.objects.get_or_create(sales_unit=unit, ledger_id=f"3{unit.msn}")
        page = Page(entries=(entry,), cursor=None, has_more=True, try_later=False)
        settlements._keep(
            feed, page, asked_at=clock.db_now(), is_last=False, kept=settling._ask_for_checks, by=WORKER
        )

    return tell


def _look_up(chain: Chain, truth: Truth) -> None:
    by = access.actor_for(chain.kari, store=chain.oslo)
    question = questions.ask_vipps(truth.reference, asker=chain.kari, from_store=chain.oslo, by=by)
    discovering.answer(question.pk, by=WORKER)


def _compare(truth: Truth) -> None:
    for order in Order.objects.filter(reference=truth.reference):
        comparison.check_now(order, by=WORKER)


def _late_answer(chain: Chain, truth: Truth, paid_at: datetime) -> Confirmed:
    """A reading that was made before anything more was captured or refunded, and is heard only now."""
    return told(
        chain.units[truth.unit],
        truth.reference,
        truth.first_minor,
        uncaptured_minor=25_000 - truth.first_minor,
        paid_at=paid_at,
        as_of=paid_at + timedelta(minutes=1),
        store_code=truth.store_in_metadata,
        receipt_number=f"V-{truth.reference[-2:]}",
    )


def _place_again() -> None:
    UnplacedPayment.objects.update(tried_at=clock.db_now() - timedelta(days=1))
    place_again(by=WORKER)
