"""What is sold before a run, and what its tills will wish: 20 store systems, and wishes fixed by the seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from hq.demo.cast import PLACES
from hq.demo.chain import Seller, build_chain
from hq.demo.provider import Provider
from stores import clock, keys, orders
from stores.actors import hub
from stores.models import Order, Scope

TILLS = 20
CAPTURED = 100_000
_STORES = 8
_BATCH = 500
_ALONE = 0.85
"""Share of the orders of which only one refund is wished; the others have three, from different tills."""
_TOO_MUCH = 0.02
"""Share of the wishes that ask for more than was captured."""
BY = hub("kills")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One return: the same key for every retry. `is_too_much` must be refused, `is_alone` is its order's only one."""

    number: int
    order_id: UUID
    amount_minor: int
    currency: str
    till: int
    is_too_much: bool
    is_alone: bool
    gives_up: bool

    @property
    def key(self) -> str:
        return f"kills-{self.number:06}"


@dataclass(frozen=True, kw_only=True)
class _Draft:
    order: int
    amount_minor: int
    is_too_much: bool
    is_alone: bool


def open_shop(provider_url: str, *, refunds: int, seed: int) -> tuple[list[str], list[Wish]]:
    """Stores, keys, paid and synced orders; the API keys of the tills, and every wish in its turn."""
    provider = Provider(provider_url)
    sellers = build_chain(PLACES[:_STORES], provider=provider, by=BY)
    chance = random.Random(seed)
    drafts = _drafts(chance, refunds)
    sold = _sell(sellers, provider, count=max(draft.order for draft in drafts) + 1)
    # Refunds of one order come close together, as when a customer brings three things back: they meet in flight.
    wishes = [
        Wish(
            number=number,
            order_id=sold[draft.order][0],
            currency=sold[draft.order][1],
            amount_minor=draft.amount_minor,
            till=chance.randrange(TILLS),
            is_too_much=draft.is_too_much,
            is_alone=draft.is_alone,
            gives_up=chance.random() < 0.03,
        )
        for number, draft in enumerate(drafts)
    ]
    return [_new_till(sellers[number % _STORES], number) for number in range(TILLS)], wishes


def _drafts(chance: random.Random, refunds: int) -> list[_Draft]:
    drafts: list[_Draft] = []
    order = 0
    while len(drafts) < refunds:
        is_alone = chance.random() < _ALONE
        amounts = chance.sample(range(1_000, 30_000), 1 if is_alone else 3)
        for amount in amounts[: refunds - len(drafts)]:
            is_too_much = chance.random() < _TOO_MUCH
            too_much = CAPTURED + amount if is_too_much else amount
            drafts.append(_Draft(order=order, amount_minor=too_much, is_too_much=is_too_much, is_alone=is_alone))
        order += 1
    return drafts


def _sell(sellers: Sequence[Seller], provider: Provider, *, count: int) -> list[tuple[UUID, str]]:
    """The public ids and currencies of `count` new orders, spread over the stores."""
    paid_at = clock.db_now() - timedelta(days=2)
    references: dict[tuple[int, str], int] = {}
    for position, seller in enumerate(sellers):
        numbers = range(position, count, len(sellers))
        for start in range(0, len(numbers), _BATCH):
            part = numbers[start : start + _BATCH]
            batch = {f"{seller.place.prefix}{seller.place.code}-{number:06}": number for number in part}
            _pay_and_sync(seller, provider, list(batch), paid_at)
            references |= {(seller.unit.pk, reference): number for reference, number in batch.items()}
    columns = ("sales_unit_id", "reference", "public_id", "currency")
    found = {references[unit, reference]: (public_id, currency) for unit, reference, public_id, currency in
             Order.objects.values_list(*columns)}  # fmt: skip
    return [found[number] for number in range(count)]


def _pay_and_sync(seller: Seller, provider: Provider, references: list[str], paid_at: datetime) -> None:
    provider.add_payments(
        [
            {
                "msn": seller.unit.msn,
                "reference": reference,
                "amount_minor": CAPTURED,
                "currency": seller.unit.currency,
                "paid_at": paid_at.isoformat(),
            }
            for reference in references
        ]
    )
    amount = orders.AmountRow(amount_minor=CAPTURED, currency=seller.unit.currency)
    rows = [orders.OrderRow(reference=reference, amount=amount, paid_at=paid_at) for reference in references]
    outcomes = orders.index_orders(rows, system=seller.system, by=BY)
    if {outcome.outcome for outcome in outcomes} != {"created"}:
        raise RuntimeError(f"the orders of {seller.store} were not taken: {outcomes[:1]}")


def _new_till(seller: Seller, number: int) -> str:
    system = keys.add_system(seller.store, name=f"Till {number}", scopes=list(Scope), by=BY)
    return keys.issue_key(system, by=BY).text
