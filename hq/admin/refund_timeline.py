"""One refund as it went: trail, attempts with their answers, observations and ledger, by time."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hq.admin.showing import money
from refunds import telling
from refunds.models import Attempt, Kind, LedgerEntry, Observation, Refund
from stores import audit
from stores.models import Entry

Text = str | Promise


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One line of the timeline. `colour` is a label colour of the admin, `facts` are (label, value) for reading."""

    at: datetime
    icon: str
    what: Text
    sentence: Text
    who: str = ""
    colour: str = "info"
    facts: list[tuple[Text, Text]] = field(default_factory=list)


def timeline_of(refund: Refund) -> list[Moment]:
    """Everything that is known about a refund, oldest first. Never a key, a header or a body."""
    moments = [
        *(_entry(entry) for entry in audit.timeline_of("refund", str(refund.pk)).select_related("chain__store")),
        *_calls(refund),
        *(_observation(seen) for seen in Observation.objects.filter(refund=refund)),
        *(_booking(line) for line in LedgerEntry.objects.filter(refund=refund)),
    ]
    return sorted(moments, key=lambda moment: moment.at)


def _entry(entry: Entry) -> Moment:
    return Moment(
        at=entry.at,
        icon="history",
        what=_("trail"),
        sentence=audit.sentence_of(entry),
        who=entry.actor_name,
        colour="primary",
        facts=[
            (_("entry"), f"{entry.chain} · {entry.counter}"),
            (_("hash"), bytes(entry.hash).hex()),
        ],
    )


def _calls(refund: Refund) -> list[Moment]:
    moments = []
    for attempt in Attempt.objects.filter(refund=refund).select_related("answer", "key_set"):
        moments.append(_intent(attempt, refund))
        if hasattr(attempt, "answer"):
            moments.append(_answer(attempt))
    return moments


def _intent(attempt: Attempt, refund: Refund) -> Moment:
    return Moment(
        at=attempt.intended_at,
        icon="send",
        what=_("attempt %(number)s") % {"number": attempt.number},
        sentence=(
            _("%(amount)s was to be released by sales unit %(msn)s.")
            if refund.kind == Kind.RELEASE
            else _("%(amount)s was to be refunded by sales unit %(msn)s.")
        )
        % {"amount": money(attempt.amount_minor, refund.currency), "msn": attempt.msn},
        facts=[
            (_("idempotency key"), attempt.provider_key),
            (_("keys"), f"{attempt.key_set} v{attempt.key_version}"),
            (_("refunded before"), money(attempt.refunded_before_minor, refund.currency)),
            (_("claim"), str(attempt.fence)),
        ],
    )


def _answer(attempt: Attempt) -> Moment:
    answer = attempt.answer
    meaning = telling.code_in_words(answer.kind)
    facts: list[tuple[Text, Text]] = [(_("took"), f"{answer.took_ms} ms")]
    if answer.code:
        facts.append((_("Vipps' code"), answer.code))
    if answer.trace_id:
        facts.append((_("trace id"), answer.trace_id))
    is_plain_yes = answer.status is not None and 200 <= answer.status < 300
    return Moment(
        at=answer.answered_at,
        icon="reply",
        what=_("answer %(number)s") % {"number": attempt.number},
        sentence=f"{meaning} · HTTP {answer.status}" if answer.status else f"{meaning} · {_('no answer came')}",
        colour="success" if is_plain_yes else "warning",
        facts=facts,
    )


def _observation(seen: Observation) -> Moment:
    facts: dict[str, Any] = seen.facts if isinstance(seen.facts, dict) else {"facts": seen.facts}
    return Moment(
        at=seen.seen_at,
        icon="visibility",
        what=_("seen at Vipps"),
        sentence=_("Read in %(source)s.") % {"source": seen.get_source_display()},
        facts=[*((name, _in_words(value)) for name, value in sorted(facts.items()) if value), (_("digest"), seen.digest)],
    )


def _in_words(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _booking(line: LedgerEntry) -> Moment:
    return Moment(
        at=line.booked_at,
        icon="account_balance",
        what=_("ledger"),
        sentence=_("%(amount)s from %(debit)s to %(credit)s (%(kind)s).")
        % {
            "amount": money(line.amount_minor, line.currency),
            "debit": line.get_debit_display(),
            "credit": line.get_credit_display(),
            "kind": line.get_kind_display(),
        },
        colour="success",
        facts=[(_("Vipps' reference"), line.psp_reference)] if line.psp_reference else [],
    )
