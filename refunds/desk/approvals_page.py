"""What waits for a yes in this store: for whoever may give it, and for whoever waits for it."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from refunds import allowing
from refunds.desk import approval_words, rows
from refunds.desk.door import Desk, for_cashiers
from refunds.models import Refund, Tier
from refunds.rules import Breach

SHOWN = 100


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """One wish in the queue; `is_hers_to_allow` makes it her work, else she only sees it."""

    row: rows.RefundRow
    why: str
    left: str
    is_hers_to_allow: bool
    is_for_headquarters: bool


@require_GET
@for_cashiers
def show(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The queue of this store, the oldest first; her own work stands above what waits for others."""
    found = [_waiting(refund, desk) for refund in allowing.waiting_in(desk.store)[:SHOWN]]
    page = {
        "desk": desk,
        "mine": [each for each in found if each.is_hers_to_allow],
        "others": [each for each in found if not each.is_hers_to_allow],
    }
    return render(request, "desk/approvals.html", page)


@require_GET
@for_cashiers
def count(request: HttpRequest, desk: Desk) -> HttpResponse:
    """How many wait for her, for the bar of a page that stands open (a fragment); an open list of them then looks again."""
    answer = render(request, "desk/_waiting_count.html", {"desk": desk})
    if request.GET.get("seen") != str(desk.waiting):
        answer.headers["HX-Trigger"] = "waiting-changed"
    return answer


def _waiting(refund: Refund, desk: Desk) -> Waiting:
    [row] = rows.refund_rows([refund])
    breaches = [Breach.of_facts(facts) for facts in refund.breaches]
    is_for_headquarters = refund.needs_approval_of == Tier.HEADQUARTERS
    return Waiting(
        row=row,
        why=" ".join(allowing.why(breaches, reason=str(refund.get_reason_display()))),
        left=approval_words.time_left(allowing.expires_at(refund) - desk.now),
        is_hers_to_allow=desk.is_manager and not is_for_headquarters and refund.requested_by_id != desk.user.pk,
        is_for_headquarters=is_for_headquarters,
    )
