"""How a refund or a release is going, in plain words: the straight answer for each state."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from refunds.models import Kind, Refund, State, WaitsFor
from refunds.refusals import Refusal, refusal_of_refund, refusal_of_release

Tone = Literal["waiting", "done", "no", "unsure"]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How a refund is going, for people: a word, what happened, what to do now, and when the hub looks again."""

    headline: str | Promise
    what: str | Promise
    is_final: bool
    tone: Tone
    next_step: str | Promise = ""
    next_check_at: datetime | None = None

    @property
    def explanation(self) -> str:
        """What happened and what to do, in one breath."""
        return f"{self.what} {self.next_step}".strip()


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
            return _refused(_("Vipps said no"), refusal_of_refund(refund.outcome))
        case State.REJECTED:
            return _no(_("Not approved"), _("Nothing was refunded."), _ASK_WHO_DECIDED)
        case State.CANCELLED:
            nothing = _("Nothing was sent to Vipps and nothing was refunded.")
            return _expired(nothing) if refund.outcome == "expired" else _no(_("Cancelled"), nothing)
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
            return _refused(headline, refusal_of_release(release.outcome))
        case State.REJECTED:
            return _no(_("Not approved"), _("Nothing was released."), _ASK_WHO_DECIDED)
        case State.CANCELLED:
            nothing = _("Nothing was sent to Vipps and nothing was released.")
            return _expired(nothing) if release.outcome == "expired" else _no(_("Cancelled"), nothing)
        case _:
            assert_never(state)


def _waiting(headline: Promise, what: Promise, next_check_at: datetime | None) -> Progress:
    return Progress(headline=headline, what=what, is_final=False, tone="waiting", next_check_at=next_check_at)


def _unsure(headline: Promise, what: Promise, next_check_at: datetime | None) -> Progress:
    return Progress(headline=headline, what=what, is_final=False, tone="unsure", next_check_at=next_check_at)


def _done(headline: Promise, what: Promise) -> Progress:
    return Progress(headline=headline, what=what, is_final=True, tone="done")


def _no(headline: Promise, what: Promise, next_step: str | Promise = "") -> Progress:
    return Progress(headline=headline, what=what, next_step=next_step, is_final=True, tone="no")


def _refused(headline: Promise, refusal: Refusal) -> Progress:
    return _no(headline, refusal.what, refusal.next_step)


def _expired(nothing: Promise) -> Progress:
    next_step = _("Ask again from the order's page, with somebody at hand who may allow it.")
    return _no(_("Nobody allowed it in time"), nothing, next_step)


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


_ASK_WHO_DECIDED = _("Ask the person who decided.")
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
