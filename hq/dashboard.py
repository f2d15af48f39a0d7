"""The admin's first screen: work to do, and a few figures of today."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, DurationField, Exists, ExpressionWrapper, F, Min, OuterRef, Q, QuerySet, Sum
from django.db.models.aggregates import Aggregate
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _

from hq.admin.asking import asker_of, company_of
from hq.admin.showing import NOTHING, money, page_of
from hq.alerts import alerts_of
from refunds import queries
from refunds.models import Delivery, Difference, OrderAccount, OutsideRefund, PolicyVersion, Refund, ReviewProposal, State
from stores.models import Company, OrderConflict, RegistrationWatch, SalesUnit, UnplacedPayment

Text = str | Promise
SHOWN = 8
"""How many refunds of one kind are listed here; the rest are behind the link."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One refund that waits, for the table: what, how much, whose, since when."""

    link: str
    refund: str
    amount: str
    sold_by: str
    taken_back_in: str
    waits: str


@dataclass(frozen=True, kw_only=True)
class Work:
    """One kind of work: how many, how old the oldest is, where the whole list is. Red when `is_urgent`."""

    title: Text
    icon: str
    count: int
    link: str
    oldest: str = ""
    is_urgent: bool = False
    rows: list[Row] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number of today."""

    title: Text
    value: str


class Median(Aggregate):
    """PostgreSQL's median, over an interval."""

    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


def first_screen(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's DASHBOARD_CALLBACK."""
    refunds = queries.refunds_visible_to(asker_of(request))
    alerts = alerts_of(company_of(request))
    return {**context, "alerts": alerts, "work": _work(request, refunds), "figures": _figures(refunds)}


def _work(request: HttpRequest, refunds: QuerySet[Refund]) -> list[Work]:
    company = company_of(request)
    conflicts = OrderConflict.objects.filter(order__store__company=company, settled_at=None)
    keyless = SalesUnit.objects.filter(company=company).exclude(key_set__version__gt=0)
    given_up = Delivery.objects.filter(endpoint__system__store__company=company, delivered_at=None, next_try_at=None)
    untold = given_up.aggregate(count=Count("pk"), oldest=Min("written_at"))
    differing = Difference.objects.filter(order__store__company=company, closed_at=None).aggregate(
        count=Count("pk"), oldest=Min("found_at")
    )
    elsewhere = OutsideRefund.objects.filter(order__store__company=company, acknowledgement=None).aggregate(
        count=Count("pk"), oldest=Min("booked_at")
    )
    said = conflicts.aggregate(count=Count("pk"), oldest=Min("seen_at"))
    homeless = UnplacedPayment.objects.filter(sales_unit__company=company, order=None).aggregate(
        count=Count("pk"), oldest=Min("seen_at")
    )
    counts: dict[str, Any] = {
        row["state"]: row
        for row in refunds.order_by()
        .filter(state__in=(State.UNKNOWN, State.REVIEW, State.AWAITING_APPROVAL))
        .values("state")
        .annotate(count=Count("pk"), oldest=Min(F("moved_at")))
    }
    unclear = _Kind(refunds=refunds, counts=counts)
    open_proposals = ReviewProposal.objects.filter(
        verdict="", refund__state=State.REVIEW, refund__refunding_store__company=company
    )
    drafts = PolicyVersion.objects.filter(company=company, verdict="")
    limits = drafts.aggregate(count=Count("pk"), oldest=Min("proposed_at"))
    proposed = open_proposals.aggregate(count=Count("pk"), oldest=Min("proposed_at"))
    return [
        unclear.work(State.REVIEW, _("In review"), "gavel", is_urgent=True),
        Work(
            title=_("Reviews for a second person"),
            icon="group_add",
            count=proposed["count"],
            oldest=_age(proposed["oldest"]),
            link=f"{reverse('admin:refunds_refund_changelist')}?proposal=waiting",
            is_urgent=True,
        ),
        Work(
            title=_("Orders on hold without a review"),
            icon="lock",
            count=_holds_for_people(company),
            link=f"{reverse('admin:refunds_orderaccount_changelist')}?lifted_by=people",
            is_urgent=True,
        ),
        Work(
            title=_("Limits for a second person"),
            icon="rule",
            count=limits["count"],
            oldest=_age(limits["oldest"]),
            link=f"{reverse('admin:refunds_policyversion_changelist')}?standing=waiting",
        ),
        unclear.work(State.UNKNOWN, _("Outcome being found out"), "help"),
        unclear.work(State.AWAITING_APPROVAL, _("Waiting for approval"), "approval"),
        Work(
            title=_("Contradictions"),
            icon="sync_problem",
            count=said["count"],
            oldest=_age(said["oldest"]),
            link=f"{reverse('admin:stores_orderconflict_changelist')}?settled_at__isnull=True",
        ),
        Work(
            title=_("Payments without a store"),
            icon="location_off",
            count=homeless["count"],
            oldest=_age(homeless["oldest"]),
            link=f"{reverse('admin:stores_unplacedpayment_changelist')}?placed_at__isnull=True",
        ),
        Work(
            title=_("Differences"),
            icon="difference",
            count=differing["count"],
            oldest=_age(differing["oldest"]),
            link=f"{reverse('admin:refunds_difference_changelist')}?standing=open",
            is_urgent=True,
        ),
        Work(
            title=_("Refunded elsewhere"),
            icon="call_split",
            count=elsewhere["count"],
            oldest=_age(elsewhere["oldest"]),
            link=f"{reverse('admin:refunds_outsiderefund_changelist')}?seen_to=not_yet",
        ),
        Work(
            title=_("Messages given up"),
            icon="unsubscribe",
            count=untold["count"],
            oldest=_age(untold["oldest"]),
            link=f"{reverse('admin:refunds_delivery_changelist')}?outcome=given_up",
        ),
        Work(
            title=_("Notices of Vipps that may not come"),
            icon="notifications_off",
            count=RegistrationWatch.objects.filter(company=company).exclude(problem="").count(),
            link=f"{reverse('admin:stores_registrationwatch_changelist')}?problem=some",
        ),
        Work(
            title=_("Sales units without keys"),
            icon="key_off",
            count=keyless.count(),
            link=f"{reverse('admin:stores_salesunit_changelist')}?keys=missing",
            is_urgent=True,
        ),
    ]


def _holds_for_people(company: Company) -> int:
    reviews = Refund.objects.filter(order=OuterRef("order"), state=State.REVIEW)
    return OrderAccount.objects.filter(~Exists(reviews), on_hold=True, order__store__company=company).count()


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """Refunds that wait, by state; one query for the counts, one for each list that is not empty."""

    refunds: QuerySet[Refund]
    counts: dict[str, Any]

    def work(self, state: State, title: Text, icon: str, *, is_urgent: bool = False) -> Work:
        found = self.counts.get(state, {"count": 0, "oldest": None})
        oldest_first = self.refunds.filter(state=state).order_by("moved_at")
        rows = oldest_first.select_related("order__store", "refunding_store")[:SHOWN] if found["count"] else []
        return Work(
            title=title,
            icon=icon,
            count=found["count"],
            oldest=_age(found["oldest"]),
            link=f"{reverse('admin:refunds_refund_changelist')}?state__exact={state}",
            is_urgent=is_urgent,
            rows=[_row(refund) for refund in rows],
        )


def _row(refund: Refund) -> Row:
    return Row(
        link=page_of(refund),
        refund=str(refund),
        amount=money(refund.shown_minor, refund.currency),
        sold_by=refund.order.store.code,
        taken_back_in=refund.refunding_store.code,
        waits=_age(refund.moved_at),
    )


def _age(since: datetime | None) -> str:
    return timesince(since) if since else ""


def _figures(refunds: QuerySet[Refund]) -> list[Figure]:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    today = refunds.order_by().filter(accepted_at__gte=midnight)
    sums = list(
        today.values("currency")
        .annotate(
            accepted=Count("pk"),
            refunded=Count("pk", filter=Q(state=State.REFUNDED)),
            refunded_minor=Sum("amount_minor", filter=Q(state=State.REFUNDED)),
        )
        .order_by("currency")
    )
    took = ExpressionWrapper(F("ended_at") - F("accepted_at"), output_field=DurationField())
    median: timedelta | None = today.filter(state=State.REFUNDED).aggregate(median=Median(took))["median"]
    return [
        Figure(title=_("Refunds asked for today"), value=str(sum(row["accepted"] for row in sums))),
        Figure(title=_("Refunded today"), value=str(sum(row["refunded"] for row in sums))),
        Figure(
            title=_("Paid back today"),
            value=" · ".join(money(row["refunded_minor"], row["currency"]) for row in sums if row["refunded"]) or NOTHING,
        ),
        Figure(
            title=_("Median seconds to the end"),
            value=number_format(median.total_seconds(), 1) if median is not None else NOTHING,
        ),
    ]
