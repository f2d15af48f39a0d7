"""What a worker asks Vipps for the index: payments that it told of, and references that somebody at a desk wants to know."""

from refunds import breakers, checks
from refunds.models import CheckReason, OrderAccount
from stores.actors import Actor
from stores.discovery import Finding, Found, answering, read_payment, waiting
from stores.errors import HubError
from stores.vipps.errors import VippsError

_A_PASS = 100
_RUNS_SECONDS = 10.0
_ANSWERS_SECONDS = 5.0


def read(row_id: int, *, by: Actor) -> Found | None:
    """Read the payment of that row, if it is due; None where it is not, or cannot be read now. Needs the private key.

    What was refunded of a payment that nobody has refunded through the hub is counted by a look at its order.
    """
    claim = waiting.claim(row_id)
    if claim is None:
        return None
    if breakers.is_left_alone(claim.unit):
        waiting.put_off(claim, "Vipps is left alone for a while")
        return None
    try:
        found = read_payment(claim.unit, claim.reference, by=by)
    except HubError as error:
        waiting.put_off(claim, error.code)
        return None
    except VippsError as error:
        waiting.put_off(claim, str(error), at_least=error.retry_after)
        return None
    if found.finding is Finding.UNKNOWN:
        waiting.put_off(claim, "Vipps does not know this payment")
        return found
    if found.order and found.order.refunded_seen_minor and not OrderAccount.objects.filter(order=found.order).exists():
        checks.ask(found.order.pk, CheckReason.NOTICE)
    waiting.finish(claim)
    return found


def move_due(*, by: Actor) -> int:
    """For the rounds: ring for every payment that is due; read it here where no worker comes, for a few seconds at most."""
    return waiting.move_due(lambda row_id: read(row_id, by=by), limit=_A_PASS, seconds=_RUNS_SECONDS)


def answer(question_id: int, *, by: Actor) -> bool:
    """Ask Vipps what somebody wants to know; False where it is answered, or somebody is at it. Needs the private key."""
    return answering.answer(question_id, by=by, left_alone=breakers.left_alone)


def answer_due(*, by: Actor) -> int:
    """For the sweep: questions that no worker took; somebody waits for them at a desk."""
    return answering.ring_due(by=by, left_alone=breakers.left_alone, seconds=_ANSWERS_SECONDS)
