"""How a refund or a release is going, in plain words: the straight answer for each state."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from refunds.models import Kind, Refund, State, WaitsFor

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
    return _of_release(refund) if refund.kind == Kind.RELEASE else _of_refund(refund)


def _of_refund(refund: Refund) -> Progress:
    state = State(refund.state)
    match state:
        case State.AWAITING_APPROVAL:
            return _waiting(_("Waits for approval"), _("A manager or headquarters has to allow this refund."), None)
        case State.QUEUED:
            return _waiting(_("Queued"), _why_queued(refund), refund.next_action_at)
        case State.SENDING:
            return _waiting(_("On its way to Vipps"), _("The refund is being sent."), refund.lease_until)
        case State.UNKNOWN:
            return _unsure(_("We are finding out"), _why_unknown(refund), refund.next_action_at)
        case State.REVIEW:
            return _unsure(_("With headquarters"), _IN_REVIEW, None)
        case State.REFUNDED | State.RELEASED:
            return _done(_("Refunded"), _("Vipps has confirmed the refund."))
        case State.DECLINED:
            return _no(_("Vipps said no"), _DECLINED.get(refund.outcome, _DECLINED_OTHERWISE))
        case State.REJECTED:
            return _no(_("Not approved"), _("Nothing was refunded. Ask the person who decided."))
        case State.CANCELLED:
            return _no(_("Cancelled"), _("Nothing was sent to Vipps and nothing was refunded."))
        case _:
            assert_never(state)


def _of_release(release: Refund) -> Progress:
    state = State(release.state)
    match state:
        case State.AWAITING_APPROVAL:
            return _waiting(_("Waits for approval"), _("A manager or headquarters has to allow this release."), None)
        case State.QUEUED:
            return _waiting(_("Queued"), _why_release_queued(release), release.next_action_at)
        case State.SENDING:
            return _waiting(_("On its way to Vipps"), _("The release is being sent."), release.lease_until)
        case State.UNKNOWN:
            why = _RELEASE_NOT_YET if release.verdict == "reject" else _RELEASE_NO_ANSWER
            return _unsure(_("We are finding out"), why, release.next_action_at)
        case State.REVIEW:
            return _unsure(_("With headquarters"), _IN_REVIEW, None)
        case State.RELEASED | State.REFUNDED:
            return _done(_("Released"), _RELEASED.get(release.outcome, _RELEASED_OTHERWISE))
        case State.DECLINED:
            headline = _("Not released") if release.outcome in _TAKEN else _("Vipps said no")
            return _no(headline, _RELEASE_DECLINED.get(release.outcome, _RELEASE_DECLINED_OTHERWISE))
        case State.REJECTED:
            return _no(_("Not approved"), _("Nothing was released. Ask the person who decided."))
        case State.CANCELLED:
            return _no(_("Cancelled"), _("Nothing was sent to Vipps and nothing was released."))
        case _:
            assert_never(state)


def _waiting(headline: Promise, explanation: Promise, next_check_at: datetime | None) -> Progress:
    return Progress(
        headline=headline, explanation=explanation, is_final=False, tone="waiting", next_check_at=next_check_at
    )


def _unsure(headline: Promise, explanation: Promise, next_check_at: datetime | None) -> Progress:
    return Progress(
        headline=headline, explanation=explanation, is_final=False, tone="unsure", next_check_at=next_check_at
    )


def _done(headline: Promise, explanation: Promise) -> Progress:
    return Progress(headline=headline, explanation=explanation, is_final=True, tone="done")


def _no(headline: Promise, explanation: Promise) -> Progress:
    return Progress(headline=headline, explanation=explanation, is_final=True, tone="no")


def _why_queued(refund: Refund) -> Promise:
    if refund.waits_for:
        return _PARKED[WaitsFor(refund.waits_for)]
    return _QUEUED.get(refund.outcome, _("The refund is accepted and the money is set aside. It goes out in a moment."))


def _why_release_queued(release: Refund) -> Promise:
    if release.waits_for:
        return _RELEASE_PARKED[WaitsFor(release.waits_for)]
    return _RELEASE_QUEUED.get(release.outcome, _RELEASE_ACCEPTED)


def _why_unknown(refund: Refund) -> Promise:
    if refund.verdict == "reject":
        return _(
            "Not refunded so far, still being confirmed. Do not repeat it: the amount stays set aside until it is certain."
        )
    return _("Vipps did not answer. Do not repeat it: the hub asks Vipps until it knows, and the customer gets it once.")


_IN_REVIEW = _("Do not repeat it. Two people at headquarters are looking into it and will settle it.")
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
_ONLY_RESERVED = _("The money was never taken, only reserved. There is nothing to refund: release it from the order's page.")
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

_RELEASE_ACCEPTED = _("The release is accepted. It goes out in a moment.")
_RELEASE_NO_KEYS = _(
    "Accepted, but the selling store's Vipps keys do not work now. Headquarters has to mend them; the release then goes out."
)
_RELEASE_BUSY = _("Vipps is busy with this payment. The release is accepted and goes out in a moment.")
_RELEASE_UNREACHABLE = _("Vipps cannot be reached now. The release is accepted and goes out as soon as it can.")
_RELEASE_QUEUED: dict[str, Promise] = {
    **dict.fromkeys(("no_keys", "keys_unreadable", "unauthorized"), _RELEASE_NO_KEYS),
    **dict.fromkeys(("locked", "throttled", "paced", "vipps_6160", "vipps_6250", "vipps_VippsError 94"), _RELEASE_BUSY),
    **dict.fromkeys(("not_sent", "unsure"), _RELEASE_UNREACHABLE),
}
_RELEASE_PARKED: dict[WaitsFor, Promise] = {
    WaitsFor.PAUSE: _PARKED[WaitsFor.PAUSE],
    WaitsFor.HOST: _RELEASE_UNREACHABLE,
    WaitsFor.SALES_UNIT: _RELEASE_NO_KEYS,
}
_RELEASE_NOT_YET = _("Not released so far, still being confirmed. Do not repeat it.")
_RELEASE_NO_ANSWER = _("Vipps did not answer. Do not repeat it: the hub asks Vipps until it knows.")
_RELEASED_OTHERWISE = _("Vipps has let the whole reservation go. Nothing was taken from the customer.")
_RELEASED: dict[str, Promise] = {
    "released_elsewhere": _("The reservation had been released outside the hub. Nothing was taken from the customer."),
}
_TAKEN = ("captured_meanwhile", "captured_in_part")
_NOTHING_RESERVED = _("Vipps holds no reservation for this payment any more. Nothing was taken and nothing was released now.")
_RELEASE_TOO_LATE = _("It is too late to release it through Vipps. The customer's bank lets the reservation go by itself.")
_RELEASE_DECLINED_OTHERWISE = _("Vipps refused the release. Headquarters can see Vipps' own code.")
_RELEASE_DECLINED: dict[str, Promise] = {
    "captured_meanwhile": _("The money has been taken, so it can no longer be released. Refund it from the order's page."),
    "captured_in_part": _(
        "A part was taken before the release; only the rest was released. Refund the part taken from the order's page."
    ),
    **dict.fromkeys(("nothing_reserved", "vipps_6050", "vipps_6190", "vipps_6260", "vipps_Payment 53"), _NOTHING_RESERVED),
    "vipps_6030": _RELEASE_TOO_LATE,
    "payment_not_found": _("Vipps does not know this payment. Nothing was released; check the number on the receipt."),
    "store_misconfigured": _("Vipps does not let the hub act for the selling store. Nothing was released; ask headquarters."),
    "other_currency": _("The payment is in another currency at Vipps. Nothing was released; ask headquarters."),
}
