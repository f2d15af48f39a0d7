"""The store a cashier works in now: kept in her session, and only ever one of her own."""

from collections.abc import Sequence

from django.http import HttpRequest

from stores.models import Store

STORE_KEY = "desk_store"


def working_store(request: HttpRequest, stores: Sequence[Store]) -> Store | None:
    """The chosen one of `stores`; the only one if there is one; None if she has to choose."""
    if len(stores) == 1:
        return stores[0]
    chosen = request.session.get(STORE_KEY)
    return next((store for store in stores if str(store.public_id) == chosen), None)


def work_in(request: HttpRequest, store: Store) -> None:
    """Keep `store` as hers until she signs out or chooses another."""
    request.session[STORE_KEY] = str(store.public_id)
