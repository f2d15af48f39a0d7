"""The store a cashier works in now: kept in her session, and only ever one of her own."""

from collections.abc import Sequence

from django.http import HttpRequest

from stores.models import Store

STORE_KEY = "desk_store"
_OF_THE_PAGE = "works_in"


def working_store(request: HttpRequest, stores: Sequence[Store]) -> Store | None:
    """The chosen one of `stores`; the only one if there is one; None if she has to choose.

    A form keeps to the store that stood on its page, whatever she has chosen in another tab since.
    """
    said = request.POST.get(_OF_THE_PAGE)
    if not said and len(stores) == 1:
        return stores[0]
    chosen = said or request.session.get(STORE_KEY)
    return next((store for store in stores if str(store.public_id) == chosen), None)


def work_in(request: HttpRequest, store: Store) -> None:
    """Keep `store` as hers until she signs out or chooses another."""
    request.session[STORE_KEY] = str(store.public_id)
