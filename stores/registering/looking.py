"""One look at what Vipps has registered, and what follows from it. Each step stands by itself: the next look goes on.

No transaction is open during a call. Source: Vipps Webhooks API. Secrets are shown once, there is no update, and each event
has room for few registrations, so what nobody can use is deleted first.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from stores import clock, registrations, sessions
from stores.actors import Actor
from stores.errors import Conflict
from stores.models import KeySet, SalesUnit, WebhookRegistration
from stores.vipps.session import VippsSession
from stores.vipps.webhooks import Registration, Webhooks

OVERLAP = timedelta(days=1)
"""How long an old registration stays beside its successor; what both tell is read once (Vipps: Webhooks API, FAQ)."""
NOT_MISSED_BEFORE = timedelta(minutes=10)
"""One that was made a moment ago and is not in the list yet is late, not gone."""

Registered = dict[str, WebhookRegistration]


class Look:
    """What Vipps has for one sales unit, or for a partner without naming a unit, beside our rows of it.

    `at_vipps` is how many stand there, also after a step; `has_registered` that one was made, and is to be seen listed.
    """

    def __init__(self, subject: SalesUnit | KeySet, *, by: Actor) -> None:
        """Opens keys and lists. Raises HubError (Misconfigured), VippsError."""
        self._subject = subject
        self._by = by
        self._webhooks = Webhooks(_session(subject, by=by))
        self.listed = self._webhooks.list()
        self.at_vipps = len(self.listed)
        self.has_registered = False
        self._now = clock.db_now()
        self._note_what_stands()

    def delete_what_is_ended(self) -> None:
        """At Vipps: what has ended here, and what stands at our address without a row that could prove its notices.

        Such a one is left behind by a crash between Vipps' answer and our commit, or by a restored database.
        """
        rows = _by_provider_id(self._subject.environment, self.listed)
        for registered in self.listed:
            row = rows.get(registered.id)
            if row is None and registrations.is_at(settings.PUBLIC_URL, registered.url):
                self._delete(registered.id, None, "nobody here holds its secret")
            elif row is not None and row.ended_at is not None:
                self._delete(registered.id, row, "it had ended here")

    def keep_one(self) -> None:
        """Register where none stands at our address, or the one that does is to be renewed; later delete the old ones."""
        standing = self._standing()
        here = [row for row in standing if registrations.is_at(settings.PUBLIC_URL, row.url)]
        newest = here[-1] if here else None
        if newest is None or _is_to_be_renewed(newest, self._now):
            self._register()
        elif newest.confirmed_at is not None and newest.confirmed_at <= self._now - OVERLAP:
            for row in standing:
                if row.pk != newest.pk:
                    self._delete(row.provider_id, row, "a newer one has taken its place")

    def _note_what_stands(self) -> None:
        there = [registered.id for registered in self.listed]
        rows = rows_of(self._subject).exclude(provider_id="")
        rows.filter(provider_id__in=there).update(seen_at=self._now, gone_at=None)
        missing = rows.exclude(provider_id__in=there).filter(gone_at=None, confirmed_at__lt=self._now - NOT_MISSED_BEFORE)
        for row in missing:
            registrations.note_missing(row, by=self._by)

    def _standing(self) -> list[WebhookRegistration]:
        """Ours that are confirmed and not ended, oldest first."""
        return list(rows_of(self._subject).filter(ended_at=None, confirmed_at__isnull=False).order_by("confirmed_at"))

    def _register(self) -> None:
        """A row that nobody confirmed is used again: so a crash at any point leaves one row, and the next look goes on."""
        waiting = rows_of(self._subject).filter(ended_at=None, confirmed_at=None).order_by("-pk")
        row = next((each for each in waiting if registrations.is_at(settings.PUBLIC_URL, each.url)), None)
        if row is None:
            row = registrations.open_registration(self._subject, base_url=settings.PUBLIC_URL, by=self._by)
        made = self._webhooks.register(row.url, row.events)
        self.at_vipps += 1
        try:
            registrations.confirm_registration(row, provider_id=made.id, secret=made.secret, by=self._by)
            self.has_registered = True
        except Conflict:
            # Somebody confirmed or ended it meanwhile, so nobody will hold this one's secret.
            self._delete(made.id, None, "nobody here holds its secret")

    def _delete(self, provider_id: str, row: WebhookRegistration | None, because: str) -> None:
        self._webhooks.delete(provider_id)
        self.at_vipps -= 1
        registrations.note_deleted(self._subject, provider_id, registration=row, because=because, by=self._by)


def rows_of(subject: SalesUnit | KeySet) -> QuerySet[WebhookRegistration]:
    """Every registration of one sales unit, or of one partner for all its units."""
    rows = WebhookRegistration.objects.select_related("company", "sales_unit", "key_set")
    return rows.filter(sales_unit=subject) if isinstance(subject, SalesUnit) else rows.filter(key_set=subject)


def _session(subject: SalesUnit | KeySet, *, by: Actor) -> VippsSession:
    why = "keep the registrations of webhooks"
    if isinstance(subject, SalesUnit):
        return sessions.open_session(subject, by=by, why=why)
    return sessions.open_partner_session(subject, by=by, why=why)


def _by_provider_id(environment: str, listed: tuple[Registration, ...]) -> Registered:
    """Whosesoever rows: a unit's list may show what was registered for another."""
    ids = [registered.id for registered in listed]
    return {row.provider_id: row for row in WebhookRegistration.objects.filter(environment=environment, provider_id__in=ids)}


def _is_to_be_renewed(row: WebhookRegistration, now: datetime) -> bool:
    oldest = now - timedelta(days=settings.WEBHOOKS_RENEWED_AFTER_DAYS)
    return row.renewal_asked_at is not None or (row.confirmed_at is not None and row.confirmed_at < oldest)
