"""How a refund is going, in plain words: the straight answer for each state."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from refunds.models import Refund, State, WaitsFor

Tone = Literal["waiting", "done", "no", "unsure"]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How a refund is going, for people: a word, a sentence, and when the hub looks again."""

    headline: str | Promise
    explanation: str | Promise
    is_final: bool
    tone: Tone
    next_check_at: datetime | None = None


def progress_of(refund: Refund) -> Progress:
    """The straight answer, for each state."""
    state = State(refund.state)
    match state:
        case State.AWAITING_APPROVAL:
            return _waiting(_("Waits for approval"), _("A manager or headquarters has to allow this refund."), None)
        case State.QUEUED:
            return _waiting(_("Queued"), _why_queued(refund), refund.next_action_at)
        case State.SENDING:
            return _waiting(_("On its way to Vipps"), _("The refund is being sent."), refund.lease_until)
        case State.UNKNOWN:
            return Progress(
                headline=_("We are finding out"),
                explanation=_why_unknown(refund),
                is_final=False,
                tone="unsure",
                next_check_at=refund.next_action_at,
            )
        case State.REVIEW:
            return Progress(
                headline=_("With headquarters"),
                explanation=_("Do not repeat it. Two people at headquarters are looking into it and will settle it."),
                is_final=False,
                tone="unsure",
            )
        case State.REFUNDED:
            return Progress(
                headline=_("Refunded"),
                explanation=_("Vipps has confirmed the refund."),
                is_final=True,
                tone="done",
            )
        case State.DECLINED:
            return _no(_("Vipps said no"), _DECLINED.get(refund.outcome, _DECLINED_OTHERWISE))
        case State.REJECTED:
            return _no(_("Not approved"), _("Nothing was refunded. Ask the person who decided."))
        case State.CANCELLED:
            return _no(_("Cancelled"), _("Nothing was sent to Vipps and nothing was refunded."))
        case _:
            assert_never(state)


def _waiting(headline: Promise, explanation: Promise, next_check_at: datetime | None) -> Progress:
    return Progress(
        headline=headline, explanation=explanation, is_final=False, tone="waiting", next_check_at=next_check_at
    )


def _no(headline: Promise, explanation: Promise) -> Progress:
    return Progress(headline=headline, explanation=explanation, is_final=True, tone="no")


def _why_queued(refund: Refund) -> Promise:
    if refund.waits_for:
        return _PARKED[WaitsFor(refund.waits_for)]
    return _QUEUED.get(refund.outcome, _("The refund is accepted and the money is set aside. It goes out in a moment."))


def _why_unknown(refund: Refund) -> Promise:
    if refund.verdict == "reject":
        return _(
            "Not refunded so far, still being confirmed. Do not repeat it: the amount stays set aside until it is certain."
        )
    return _("Vipps did not answer. Do not repeat it: the hub asks Vipps until it knows, and the customer gets it once.")


_NO_KEYS = _("Accepted, but the selling store's Vipps keys do not work now. Headquarters has to mend them; it then goes out.")
_BUSY = _("Vipps is busy with this payment. The refund is accepted and goes out in a moment.")
_UNREACHABLE = _("Vipps cannot be reached now. The refund is accepted and goes out as soon as it can.")
_PARKED: dict[WaitsFor, Promise] = {
    WaitsFor.PAUSE: _("Headquarters has paused refunds. This one is accepted and goes out when headquarters lets them go on."),
    WaitsFor.HOST: _UNREACHABLE,
    WaitsFor.SALES_UNIT: _NO_KEYS,
}
_QUEUED: dict[str, Promise] = {
    "no_keys": _NO_KEYS,
    "keys_unreadable": _NO_KEYS,
    "unauthorized": _NO_KEYS,
    "locked": _BUSY,
    "throttled": _BUSY,
    "paced": _BUSY,
    "restored": _("The hub was restored from a backup and is being checked. The refund is accepted and goes out after that."),
    "vipps_6160": _BUSY,
    "vipps_VippsError 94": _BUSY,
    "not_sent": _UNREACHABLE,
    "unsure": _UNREACHABLE,
}

_DECLINED_OTHERWISE = _("Vipps refused the refund and nothing was refunded. Headquarters can see Vipps' own code.")
_ALREADY = _("The order was already refunded outside the hub. Nothing was refunded now; look in the store's own records.")
_MORE_THAN_LEFT = _("Less is left of the payment at Vipps than you asked for. Nothing was refunded; try a smaller amount.")
_ONLY_RESERVED = _("The money was never taken, only reserved. Nothing to refund; the selling store must release it.")
_IN_ANOTHER_STATE = _("The payment is in a state in which Vipps does not refund it. Nothing was refunded; ask headquarters.")
_OLDER_THAN_A_YEAR = _("The payment is older than 365 days. Vipps no longer refunds it; settle with the customer otherwise.")
_DECLINED: dict[str, Promise] = {
    "refunded_elsewhere": _ALREADY,
    "vipps_6180": _ALREADY,
    "exceeds_captured": _MORE_THAN_LEFT,
    "vipps_6150": _MORE_THAN_LEFT,
    "vipps_Payment 71": _MORE_THAN_LEFT,
    "not_captured": _ONLY_RESERVED,
    "vipps_6020": _ONLY_RESERVED,
    "vipps_Payment 72": _ONLY_RESERVED,
    "vipps_6210": _IN_ANOTHER_STATE,
    "vipps_Payment 73": _IN_ANOTHER_STATE,
    "vipps_6220": _OLDER_THAN_A_YEAR,
    "vipps_Payment 95": _OLDER_THAN_A_YEAR,
    "payment_not_found": _("Vipps does not know this payment. Nothing was refunded; check the number on the receipt."),
    "store_misconfigured": _("Vipps does not let the hub act for the selling store. Nothing was refunded; ask headquarters."),
    "settled_by_people": _("Two people at headquarters found that Vipps refunded nothing. It may be asked for again."),
    "other_currency": _("The payment is in another currency at Vipps. Nothing was refunded; ask headquarters."),
}
