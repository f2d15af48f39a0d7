"""The whole reference: letter for letter first, then in any case, with or without separators."""

from stores.models import Order
from stores.search.asking import Leg, Search
from stores.search.reading import ask
from stores.search.stages import Stage

MOST = 1_000

# A chain may use one reference in each of its stores, so the store that was asked for is part of the question.
_BY_KEY = """
SELECT id, reference, paid_at FROM stores_order WHERE ref_key {keys} {store}
ORDER BY paid_at DESC, id DESC LIMIT {most}
"""


def exact(search: Search, limit: int) -> Leg:
    """Orders with that key, or with one of the keys that a scanned code holds."""
    wanted = search.wanted
    keys = wanted.keys or [wanted.key]
    # One key is the rule, and by far the quickest to look up.
    is_one = len(keys) == 1
    statement = _BY_KEY.format(
        keys="= %(key)s::text" if is_one else "= ANY (%(key)s::text[])",
        store="AND store_id = %(store)s::bigint" if wanted.store else "",
        most=MOST,
    )
    parameters = {"key": keys[0] if is_one else keys, "store": wanted.store.pk if wanted.store else None}
    rows = ask(statement, parameters, is_fresh=True)
    orders: list[Order] = []
    for stage in (Stage.RAW, Stage.EXACT):
        after = search.after(stage)
        fits = [(row_id, at) for row_id, written, at in rows if (written in wanted.texts) == (stage == Stage.RAW)]
        ids = [row_id for row_id, at in fits if after.is_before(at, row_id)]
        orders += search.load(ids, limit - len(orders))
    return Leg(orders=orders)
