"""One search: the stages in turn until a page is full, limited and recorded."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from stores import access
from stores.access import Asker, Right
from stores.models import Order, Store
from stores.search.alike import alike
from stores.search.asking import Leg, Search
from stores.search.cursor import Position, read_cursor, write_cursor
from stores.search.ends import prefix, suffix
from stores.search.enough import hint_for, is_idle, settles
from stores.search.exact import exact
from stores.search.filtering import by_filters
from stores.search.fragments import find_fragment
from stores.search.limits import check_limit, record_look_up
from stores.search.payloads import LONGEST_KEY
from stores.search.placed import placed
from stores.search.receipts import by_receipt
from stores.search.stages import Stage
from stores.search.wanted import Wanted, want

LARGEST_PAGE = 100
STAGES: dict[Stage, Callable[[Search, int], Leg]] = {
    Stage.EXACT: exact,
    Stage.SUFFIX: suffix,
    Stage.PREFIX: prefix,
    Stage.RECEIPT: by_receipt,
    Stage.PLACED: placed,
    Stage.ALIKE: alike,
    Stage.FRAGMENT: find_fragment,
}


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One order that fits, with its store and sales unit loaded."""

    order: Order


@dataclass(frozen=True, kw_only=True)
class Found:
    """A page of hits, best and newest first. `hint` tells the asker what would find more, "" when nothing would.

    `is_alike` says that nothing is written as it was typed: the hits only look like it, or fit something that stands beside
    it in what was scanned.
    """

    hits: list[Hit]
    next_cursor: str = ""
    hint: str = ""
    is_alike: bool = False


def find_orders(
    typed: str,
    *,
    asker: Asker,
    store: Store | None = None,
    amount_minor: int | None = None,
    day: date | None = None,
    cursor: str = "",
    limit: int = 20,
) -> Found:
    """Orders of the asker's whole chain by reference, amount (minor units), day and store.

    The whole reference hides weaker matches; so a scan has one hit, or one for each store that used the reference.
    Raises Forbidden, Invalid (invalid_cursor), TooManyLookUps.
    """
    access.require(asker, Right.SEARCH_ORDERS)
    position = read_cursor(cursor, ids=int)
    check_limit(asker)
    wanted = want(typed, store=store, amount_minor=amount_minor, day=day)
    if refusal := wanted.refusal():
        return Found(hits=[], hint=str(refusal))
    visible = access.visible_orders(asker).select_related("store", "sales_unit")
    limit = max(1, min(limit, LARGEST_PAGE))
    search = Search(wanted=wanted, asker=asker, visible=visible, position=position)
    found = _by_reference(search, limit) if wanted.key else _by_filters(search, limit)
    record_look_up(asker, _as_typed(wanted), store=store, hits=len(found.hits))
    return found


def _by_filters(search: Search, limit: int) -> Found:
    orders = by_filters(search, limit + 1)
    return _page(search, [(Stage.RAW, order) for order in orders], limit, "")


def _by_reference(search: Search, limit: int) -> Found:
    found: dict[int, tuple[Stage, Order]] = {}
    starts = search.position.stage if search.position else Stage.RAW
    is_whole = True
    for stage, find in STAGES.items():
        if stage < starts or is_idle(search, stage, bool(found)):
            continue
        leg = find(search, limit + 1 - len(found))
        for order in leg.orders:
            found.setdefault(order.pk, (stage, order))
        is_whole = is_whole and leg.is_whole
        if len(found) > limit or settles(search, stage, leg, bool(found)):
            break
    sure = [hit for hit in found.values() if not _is_beside(search.wanted, *hit)]
    if found and not sure:
        hint = _("“%(text)s” is in no order. This fits a part of what you typed or scanned.")
        return _page(search, list(found.values()), limit, hint % {"text": search.wanted.texts[0][:LONGEST_KEY]}, is_alike=True)
    stages = [stage for stage, _order in sure]
    hint = str(hint_for(search, stages, limit, is_whole=is_whole))
    return _page(search, sure, limit, hint, is_alike=Stage.ALIKE in stages)


def _is_beside(wanted: Wanted, stage: Stage, order: Order) -> bool:
    """Whether it was found by a text that is not the likeliest one of what was scanned."""
    if stage == Stage.RECEIPT:
        return not wanted.is_surely(order.receipt_number)
    return stage == Stage.EXACT and not wanted.is_surely(order.ref_key)


def _page(search: Search, found: list[tuple[Stage, Order]], limit: int, hint: str, *, is_alike: bool = False) -> Found:
    shown = found[:limit]
    next_cursor = ""
    if len(found) > limit:
        stage, last = shown[-1]
        is_raw = stage == Stage.EXACT and last.reference in search.wanted.texts
        next_cursor = write_cursor(Position(at=last.paid_at, id=last.pk, stage=Stage.RAW if is_raw else stage))
    return Found(
        hits=[Hit(order=order) for _stage, order in shown],
        next_cursor=next_cursor,
        hint=hint,
        is_alike=is_alike,
    )


def _as_typed(wanted: Wanted) -> str:
    filters = [str(wanted.amount_minor)] if wanted.amount_minor is not None else []
    filters += [wanted.day.isoformat()] if wanted.day is not None else []
    return " ".join([wanted.raw, *filters]).strip()
