"""What is nobody's hurry, in the hosts of the sweep: the nightly round, settlements, looks at orders, stores of
payments, imports of files.

Each has its rows and its own bound; one that fails is told, and the next round finds its rows again.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from refunds import comparison, discovering, nightly, settling
from stores import importing, orders
from stores.actors import Actor

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Round:
    """What one round found due, in rows."""

    enrolled: int = 0
    settlements: int = 0
    checks: int = 0
    readings: int = 0
    placed: int = 0
    imports: int = 0


def go_round(*, by: Actor) -> Round:
    """One round over all of it."""
    return Round(
        enrolled=_going_on("the nightly round", lambda: nightly.begin_if_due() or 0),
        settlements=_going_on("settlements", lambda: settling.move_due(by=by)),
        checks=_going_on("checks of orders", lambda: comparison.move_due(by=by)),
        readings=_going_on("payments to read", lambda: discovering.move_due(by=by)),
        placed=_going_on("payments without a store", lambda: orders.place_again(by=by)),
        imports=_going_on("imports of orders", importing.move_due),
    )


def _going_on(what: str, work: Callable[[], int]) -> int:
    try:
        return work()
    except Exception:
        logger.exception("the round went on without %s", what)
        return 0
