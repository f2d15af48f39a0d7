"""Fill simulator and hub: each sale is paid at the simulator, then synced over REST with its own store's API key."""

from collections.abc import Iterator, Sequence

import requests

from hq.demo.chain import Seller
from hq.demo.errors import DemoFailed
from hq.demo.progress import Progress
from hq.demo.provider import Provider
from hq.demo.sales import Sale, sales_of
from stores import clock, keys
from stores.actors import Actor
from stores.models import Order

_BATCH = 500
_SECONDS = 60.0


def sync_sales(sellers: Sequence[Seller], *, orders: int, hub_url: str, provider: Provider, by: Actor) -> int:
    """Bring the chain to at least so many orders, spread over the stores; how many had to be added.

    Raises DemoFailed when the hub refuses a row, requests.RequestException when somebody does not answer.
    """
    share, rest = divmod(orders, len(sellers))
    have = {seller.store.pk: Order.objects.filter(store=seller.store).count() for seller in sellers}
    missing = [
        (seller, range(have[seller.store.pk] + 1, share + (1 if position < rest else 0) + 1))
        for position, seller in enumerate(sellers)
    ]
    added = sum(len(numbers) for _seller, numbers in missing)
    if not added:
        return 0
    progress = Progress("Orders", total=sum(have.values()) + added, done=sum(have.values()))
    with requests.Session() as session:
        session.trust_env = False
        for seller, numbers in missing:
            if not numbers:
                continue
            session.headers["Authorization"] = f"Bearer {_new_key(seller, by=by)}"
            for batch in _batches(seller, numbers):
                provider.add_payments([sale.as_payment(seller.unit.msn) for sale in batch])
                _send(session, hub_url, seller, batch)
                progress.add(len(batch))
    return added


def _new_key(seller: Seller, *, by: Actor) -> str:
    """A fresh key: the text of an earlier one, of a set-up that was stopped, is known to nobody any more."""
    for key in seller.system.keys.filter(revoked_at=None):
        keys.revoke_key(key, reason="the set-up that used it was stopped", by=by)
    return keys.issue_key(seller.system, by=by).text


def _batches(seller: Seller, numbers: range) -> Iterator[list[Sale]]:
    now = clock.db_now()
    for start in range(0, len(numbers), _BATCH):
        part = numbers[start : start + _BATCH]
        yield list(sales_of(seller.place, currency=seller.unit.currency, numbers=part, now=now))


def _send(session: requests.Session, hub_url: str, seller: Seller, batch: Sequence[Sale]) -> None:
    body = {"orders": [sale.as_row() for sale in batch]}
    answer = session.post(f"{hub_url}/api/v1/orders", json=body, timeout=_SECONDS)
    if answer.status_code != requests.codes.ok:
        raise DemoFailed(f"The hub refused the orders of {seller.store}: {answer.status_code} {answer.text[:300]}")
    wrong = [row for row in answer.json()["results"] if row["outcome"] in ("refused", "conflict")]
    if wrong:
        raise DemoFailed(f"The hub refused an order of {seller.store}: {wrong[0]}")
