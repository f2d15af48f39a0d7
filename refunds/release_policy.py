"""May this reservation be released? Facts in, verdict out; pure, as `policy` is for refunds."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from refunds import policy
from refunds.policy import Allowed, Refusal, Verdict
from refunds.rules import Breach
from stores.vipps import ecom_types, payments


@dataclass(frozen=True, kw_only=True)
class ReleaseFacts:
    """All that the verdict depends on, minor units.

    `captured_minor` is None until Vipps showed a capture, `uncaptured_minor` is what it showed as reserved and not taken,
    `breaches` are the limits that `rules` found broken.
    """

    reference: str
    currency: str
    captured_minor: int | None
    uncaptured_minor: int
    is_released: bool
    has_refund_in_flight: bool
    is_paused: bool
    is_on_hold: bool
    has_keys: bool
    breaches: tuple[Breach, ...] = ()


def decide(facts: ReleaseFacts) -> Verdict:
    """The first rule that is broken; what breaks a limit of one refund needs a second person as a release too."""
    for is_broken, refusal in _RULES:
        if is_broken(facts):
            return refusal
    return Allowed(breaches=facts.breaches)


def _is_out_of_reach(facts: ReleaseFacts) -> bool:
    return payments.needs_ecom(facts.reference) and facts.currency != ecom_types.CURRENCY


_RULES = (
    (_is_out_of_reach, policy.NOT_REACHABLE),
    (lambda facts: facts.is_paused, policy.PAUSED),
    (lambda facts: facts.is_on_hold, policy.ON_HOLD),
    (lambda facts: facts.is_released, policy.RELEASED),
    (
        lambda facts: facts.has_refund_in_flight,
        Refusal(
            code="refund_in_flight",
            sentence=_("A refund of this order is under way. It can be released once that has ended."),
        ),
    ),
    (
        lambda facts: bool(facts.captured_minor),
        Refusal(code="captured", sentence=_("The money has been taken. It cannot be released: refund it instead.")),
    ),
    (
        lambda facts: facts.uncaptured_minor <= 0,
        Refusal(
            code="not_reserved",
            sentence=_("Vipps has not shown that money is reserved for this order, so there is nothing to release."),
        ),
    ),
    (lambda facts: not facts.has_keys, policy.NO_KEYS),
)
