"""An order that no till has told of: Vipps is asked while the page looks on, until it is found or all stores were asked."""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from refunds.desk import rows
from refunds.desk.door import Desk, for_cashiers
from refunds.desk.forms import AskVippsForm, SearchForm
from stores.discovery import questions
from stores.discovery.questions import NotAsked, Progress, Standing
from stores.errors import HubError

_JUST_ENDED_SECONDS = 30
"""Found while she waits, the order opens by itself; who comes back to this page later stays on it."""
_TONES = {
    Standing.ASKING: "waiting",
    Standing.FOUND: "done",
    Standing.UNPLACED: "unsure",
    Standing.NOT_FOUND: "no",
    Standing.INCOMPLETE: "unsure",
}
_SOON = gettext_lazy("Vipps asks us to wait a minute.")
_KEYS = gettext_lazy("Its Vipps keys do not work: headquarters has to see to that.")
_WHY_NOT = {
    "no_answer": gettext_lazy("Vipps did not answer in time."),
    "nobody_asked": gettext_lazy("Nobody got to ask in time."),
    "left_alone": gettext_lazy("Vipps has just failed several times and is left alone for a while."),
    "throttled": _SOON,
    "too_many": gettext_lazy("Too many stores to ask at once: choose the store."),
}


@require_http_methods(["GET", "POST"])
@for_cashiers
def ask(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Put the question; a refusal stands beside the search, with what was typed."""
    if request.method == "GET":
        return redirect("desk:find")
    form = AskVippsForm(request.POST, company=desk.store.company)
    if not form.is_valid():
        return _refused(request, desk, form, status=400)
    asked = form.cleaned_data
    try:
        question = questions.ask_vipps(
            asked["reference"], asker=desk.user, from_store=desk.store, store=asked["store"], by=desk.by
        )
    except HubError as problem:
        return _refused(request, desk, form, status=problem.status, problem=problem)
    return redirect("desk:look-up", question.public_id)


@require_GET
@for_cashiers
def show(request: HttpRequest, desk: Desk, question_id: uuid.UUID) -> HttpResponse:
    """The whole page; without script it looks again by itself."""
    progress = questions.progress_for(desk.user, question_id)
    if (address := _order_to_open(progress, desk)) is not None:
        return redirect(address)
    return render(request, "desk/look_up.html", _words(progress, desk))


@require_GET
@for_cashiers
def progress(request: HttpRequest, desk: Desk, question_id: uuid.UUID) -> HttpResponse:
    """How far it has come, for a page that looks every second; nothing (204) while nothing has moved."""
    found = questions.progress_for(desk.user, question_id)
    if (address := _order_to_open(found, desk)) is not None:
        return HttpResponse(status=200, headers={"HX-Redirect": address})
    if request.GET.get("seen") == _mark(found):
        return HttpResponse(status=204)
    return render(request, "desk/_look_up.html", _words(found, desk))


def _refused(
    request: HttpRequest, desk: Desk, form: AskVippsForm, *, status: int, problem: HubError | None = None
) -> HttpResponse:
    page = {
        "desk": desk,
        "form": SearchForm(company=desk.store.company),
        "typed": request.POST.get("reference", "")[:100],
        "asking": form,
        "problem": problem,
    }
    return render(request, "desk/search.html", page, status=status)


def _order_to_open(found: Progress, desk: Desk) -> str | None:
    """The one order, where every store was asked and only one has it: what is not certain is hers to choose."""
    ended_at = found.question.ended_at
    if ended_at is None or len(found.orders) != 1 or found.not_asked:
        return None
    if (desk.now - ended_at).total_seconds() > _JUST_ENDED_SECONDS:
        return None
    return reverse("desk:order", args=[found.orders[0].public_id])


def _words(found: Progress, desk: Desk) -> dict[str, Any]:
    question = found.question
    may_help_to_ask_again = found.standing in (Standing.NOT_FOUND, Standing.INCOMPLETE)
    asking = AskVippsForm(
        initial={"reference": question.reference, "store": question.store.name if question.store else ""},
        company=desk.store.company,
    )
    return {
        "desk": desk,
        "question": question,
        "progress": found,
        "mark": _mark(found),
        "tone": _TONES[found.standing],
        "headline": _headline(found),
        "what": _what(found),
        "parts": 1000 * found.asked // max(1, found.stores),
        "hits": rows.hits_of(found.orders, now=desk.now),
        "not_asked": _not_asked(found.not_asked),
        "advice": _advice(found),
        "asking": asking if may_help_to_ask_again else None,
    }


def _headline(found: Progress) -> str:
    match found.standing:
        case Standing.ASKING:
            return _("Asking") if not found.orders else _("Found; still asking the others")
        case Standing.FOUND:
            return _("Found")
        case Standing.UNPLACED:
            return _("Vipps knows it, but not whose it is")
        case Standing.NOT_FOUND:
            return _("Not found")
        case Standing.INCOMPLETE:
            return _("Not found, and not all could be asked")


def _what(found: Progress) -> str:
    match found.standing:
        case Standing.UNPLACED:
            return _("It stands on headquarters’ list: once they have said which store sold it, it can be refunded.")
        case Standing.NOT_FOUND:
            return _("None of them has a payment with this reference.")
        case Standing.FOUND if found.not_asked or len(found.orders) > 1:
            return _("Choose by store: the same reference may be another customer’s in another store.")
    return ""


def _not_asked(found: tuple[NotAsked, ...]) -> list[dict[str, Any]]:
    """The stores' names, together where the reason is the same."""
    by_reason: dict[str, list[str]] = {}
    for each in found:
        by_reason.setdefault(str(_WHY_NOT.get(each.problem, _KEYS)), []).extend(store.name for store in each.stores)
    return [{"stores": ", ".join(sorted(names)), "why": why} for why, names in by_reason.items()]


def _advice(found: Progress) -> list[str]:
    if found.standing in (Standing.ASKING, Standing.FOUND):
        return []
    if found.standing is Standing.UNPLACED:
        return [_("Tell headquarters the reference, and the store that stands on the customer’s receipt.")]
    again = [_("Ask again in a minute, or choose the store, if the customer knows it.")] if found.not_asked else []
    return [
        *again,
        _("Read the reference once more in the customer’s Vipps or MobilePay app, letter for letter."),
        _("Look at the customer’s receipt: it may have been paid in another way, or in another chain’s store."),
    ]


def _mark(found: Progress) -> str:
    return f"{found.asked}-{len(found.orders)}-{len(found.not_asked)}-{found.standing.value}"
