"""Orders put straight into the index, for tests of what finds them."""

from datetime import UTC, datetime

from stores.models import Order, Store, reference_key
from stores.search import Found
from tests.conftest import Chain

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)


def index(
    chain: Chain, code: str, reference: str, amount_minor: int = 25_000, *, at: datetime = NOON, receipt: str = ""
) -> Order:
    unit = chain.units[code]
    return Order.objects.create(
        sales_unit=unit,
        store=Store.objects.get(code=code, company=chain.company),
        reference=reference,
        ref_key=reference_key(reference),
        currency="NOK",
        claimed_minor=amount_minor,
        paid_at=at,
        receipt_number=receipt,
    )


def references(page: Found) -> list[str]:
    return [hit.order.reference for hit in page.hits]
