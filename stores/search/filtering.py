"""Orders by amount, day and store, without a reference."""

from stores.models import Order
from stores.search.asking import Search
from stores.search.narrowing import asked_part
from stores.search.reading import Row, ask
from stores.search.stages import Stage

MOST = 1_000

# Two halves, each with an index of its own: what a store claims, and what Vipps says where that is something else.
# An order that only Vipps told of has no claim.
_HALF = """
(SELECT id, paid_at FROM stores_order WHERE {conditions} AND {amount}
 ORDER BY paid_at DESC, id DESC LIMIT %(limit)s::bigint)
"""
_CLAIMED = "claimed_minor = %(amount)s::bigint"
_CAPTURED = (
    "captured_minor = %(amount)s::bigint"
    " AND (claimed_minor IS NULL OR captured_minor < claimed_minor OR captured_minor > claimed_minor)"
)
_BY_FILTERS = "SELECT id FROM ({halves}) AS found ORDER BY paid_at DESC, id DESC LIMIT %(limit)s::bigint"


def by_filters(search: Search, limit: int) -> list[Order]:
    """The newest orders of that store, day and amount; at least a store or a day is given."""
    part, after = asked_part(search.wanted), search.after(Stage.RAW)
    conditions = ["(paid_at, id) < (%(at)s::timestamptz, %(id)s::bigint)"]
    conditions += ["store_id = %(store)s::bigint"] if part.store_id is not None else []
    conditions += ["paid_at >= %(since)s AND paid_at < %(until)s"] if part.since is not None else []
    amounts = ["true"] if search.wanted.amount_minor is None else [_CLAIMED, _CAPTURED]
    halves = [_HALF.format(conditions=" AND ".join(conditions), amount=amount) for amount in amounts]
    statement = _BY_FILTERS.format(halves=" UNION ALL ".join(halves))
    fixed = {
        "at": after.at,
        "id": after.id,
        "store": part.store_id,
        "since": part.since,
        "until": part.until,
        "amount": search.wanted.amount_minor,
    }

    def candidates(count: int) -> list[Row]:
        return ask(statement, fixed | {"limit": count})

    found = search.fill(limit, MOST, candidates, knows_amount=True)
    return found.orders if found else []
