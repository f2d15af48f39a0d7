"""The store today and its hand-over between shifts: what the last one says, what has no end yet, and what was refunded."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from refunds import allowing, shifts
from refunds.desk import rows, wording
from refunds.desk.door import Desk, for_cashiers
from refunds.desk.forms import ShiftNoteForm, new_request_key
from refunds.models import Refund, ShiftNote, State
from refunds.progress import progress_of
from refunds.shifts import Standing

MOST_SHOWN = 200
MOST_TAKEN = 20
_STANDINGS: dict[Standing, Promise] = {
    Standing.REFUNDED: gettext_lazy("Refunded"),
    Standing.UNDER_WAY: gettext_lazy("Under way"),
    Standing.NEEDS_SOMEBODY: gettext_lazy("Needs somebody"),
}


@dataclass(frozen=True, kw_only=True)
class Open:
    """A refund without an end: since when, in a word how it stands, and what comes next by itself, "" where nothing does."""

    row: rows.RefundRow
    since: str
    headline: str
    next: str


@dataclass(frozen=True, kw_only=True)
class Left:
    """A note: from whom, when, and who has taken over since; her own is not hers to take over."""

    note: ShiftNote
    who: str
    when: str
    is_hers: bool
    taken_by: str


@require_GET
@for_cashiers
def show(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Of the store she works in now; made to be printed, too."""
    return _page(request, desk, ShiftNoteForm(initial={"press": new_request_key()}))


@require_http_methods(["GET", "POST"])
@for_cashiers
def leave(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Leave a note for the next person; one that cannot be kept stays in the field."""
    if request.method == "GET":
        return redirect("desk:shift")
    form = ShiftNoteForm(request.POST)
    if not form.is_valid():
        return _page(request, desk, form, status=400)
    asked = form.cleaned_data
    shifts.leave_note(desk.store, asked["note"], press=asked["press"], user=desk.user, by=desk.by)
    return redirect("desk:shift")


@require_http_methods(["GET", "POST"])
@for_cashiers
def take(request: HttpRequest, desk: Desk, note_id: uuid.UUID) -> HttpResponse:
    """She has read a note of this store and takes over."""
    if request.method == "GET":
        return redirect("desk:shift")
    shifts.take_over(desk.store, note_id, user=desk.user, by=desk.by)
    return redirect("desk:shift")


def _page(request: HttpRequest, desk: Desk, form: ShiftNoteForm, *, status: int = 200) -> HttpResponse:
    today = shifts.made_today(desk.store, now=desk.now)
    made = list(today[: MOST_SHOWN + 1])
    still_open = list(shifts.open_in(desk.store)[: MOST_SHOWN + 1])
    notes = [_left(note, desk) for note in shifts.notes_of(desk.store, now=desk.now)[:MOST_SHOWN]]
    page: dict[str, Any] = {
        "desk": desk,
        "form": form,
        "day": wording.day(timezone.localdate(desk.now)),
        "now": wording.day_and_time(desk.now),
        "untaken": [left for left in notes if not left.taken_by],
        "taken": [left for left in notes if left.taken_by][:MOST_TAKEN],
        "open": [_open(refund, desk) for refund in still_open[:MOST_SHOWN]],
        "has_more_open": len(still_open) > MOST_SHOWN,
        "made": rows.refund_rows(made[:MOST_SHOWN]),
        "has_more_made": len(made) > MOST_SHOWN,
        "totals": [_in_words(total) for total in shifts.totals(today)],
        "most": MOST_SHOWN,
    }
    return render(request, "desk/shift.html", page, status=status)


def _open(refund: Refund, desk: Desk) -> Open:
    [row] = rows.refund_rows([refund])
    return Open(
        row=row,
        since=_moment(refund.accepted_at, desk.now),
        headline=str(progress_of(refund).headline),
        next=_next(refund, desk.now),
    )


def _next(refund: Refund, now: datetime) -> str:
    if refund.state == State.AWAITING_APPROVAL:
        return _("lapses %(time)s") % {"time": _moment(allowing.expires_at(refund), now)}
    next_check_at = progress_of(refund).next_check_at
    return _("next look %(time)s") % {"time": _moment(next_check_at, now)} if next_check_at else ""


def _left(note: ShiftNote, desk: Desk) -> Left:
    taken = getattr(note, "take_over", None)
    return Left(
        note=note,
        who=str(note.left_by),
        when=_moment(note.left_at, desk.now),
        is_hers=note.left_by_id == desk.user.pk,
        taken_by=f"{taken.taken_by}, {_moment(taken.taken_at, desk.now)}" if taken else "",
    )


def _in_words(total: shifts.Total) -> dict[str, Any]:
    return {
        "standing": _STANDINGS[total.standing],
        "count": total.count,
        "amount": wording.money(total.amount_minor, total.currency),
    }


def _moment(moment: datetime, now: datetime) -> str:
    """The time alone where it is today's."""
    is_today = timezone.localdate(moment) == timezone.localdate(now)
    return wording.time_of_day(moment) if is_today else wording.day_and_time(moment)
