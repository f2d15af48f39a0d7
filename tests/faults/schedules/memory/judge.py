"""Judges a schedule in memory by Vipps' own events: the invariants of RELIABILITY 3.1 as far as rows in memory have them."""

import uuid
from collections.abc import Iterator, Sequence

from refunds.models import ENDS, IN_FLIGHT, State
from stores.vipps.types import Event
from tests.faults.schedules.memory.rows import Hub, keys_of
from tests.faults.schedules.memory.vipps import Vipps


def judge(hub: Hub, vipps: Vipps, wishes: Sequence[tuple[uuid.UUID, int]]) -> list[str]:
    """Every invariant that does not hold, its name first."""
    paid = [event for event in vipps.events if event.success]
    return [*_ends(hub, paid, wishes), *_books(hub, paid), *_moves(hub)]


def _ends(hub: Hub, paid: list[Event], wishes: Sequence[tuple[uuid.UUID, int]]) -> Iterator[str]:
    for refund_id, _ in wishes:
        mine = [event.amount.value for event in paid if event.idempotency_key in keys_of(refund_id)]
        row = hub.rows.get(refund_id)
        if len(mine) > 1:
            yield f"I1: {refund_id} was refunded {len(mine)} times"
        if row is None:
            continue
        if row.state == State.REFUNDED and mine != [row.amount_minor]:
            yield f"I5: {refund_id} is refunded, Vipps shows {mine}"
        if row.state in ENDS and row.state != State.REFUNDED and mine:
            yield f"I5: {refund_id} is {row.state.value}, Vipps refunded it"
        if row.state not in (*ENDS, State.REVIEW) and not hub.on_hold:
            yield f"I11: {refund_id} is left {row.state.value} ({row.outcome}, {row.verdict})"


def _books(hub: Hub, paid: list[Event]) -> Iterator[str]:
    at_vipps = sum(event.amount.value for event in paid)
    if hub.posted_minor + hub.external_minor > at_vipps:
        yield f"I12: {hub.posted_minor} + {hub.external_minor} counted, {at_vipps} at Vipps"
    keys = {key for refund_id in hub.rows for key in keys_of(refund_id)}
    ours = sum(event.amount.value for event in paid if event.idempotency_key in keys)
    is_settled = all(row.state in ENDS for row in hub.rows.values()) and not hub.on_hold
    if is_settled and ours != hub.posted_minor:
        yield f"I12: {hub.posted_minor} posted, {ours} at Vipps with our keys"
    waiting = sum(row.amount_minor for row in hub.rows.values() if row.state not in ENDS and not row.is_corrected)
    if hub.reserved_minor != waiting:
        yield f"I7: {hub.reserved_minor} reserved, {waiting} waits"


def _moves(hub: Hub) -> Iterator[str]:
    flying: set[uuid.UUID] = set()
    for refund_id, name, before, after in hub.moves:
        if before in ENDS and name not in ("T7", "T15"):
            yield f"I5: {name} after the end {before.value}"
        flying.discard(refund_id)
        if after in IN_FLIGHT:
            flying.add(refund_id)
        if len(flying) > 1:
            yield "I6: two refunds are under way at once"
