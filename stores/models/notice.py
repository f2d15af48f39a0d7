"""What Vipps sends us unasked: the addresses it was given, and every notice as it came."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stores import clock
from stores.models.append_only import never_deleted
from stores.models.key_set import KeySet
from stores.models.store import Company, Environment, SalesUnit


class Standing(models.TextChoices):
    """Where a registration stands at Vipps, as far as the hub knows."""

    NOT_REGISTERED = "not_registered", _("not registered yet")
    NOT_YET_SEEN = "not_yet_seen", _("registered, not listed yet")
    STANDS = "stands", _("stands")
    TO_BE_DELETED = "to_be_deleted", _("still to be deleted")
    GONE = "gone", _("gone")


class WebhookRegistration(models.Model):
    """An address that Vipps sends notices to: for one sales unit, or for all of a partner's.

    `token` is the last part of the address: 256 random bits that name this registration and nothing else. The secret that
    signs lies sealed in `Secret`. `confirmed_at` is when Vipps' own id and secret were entered, `seen_at` when Vipps last
    listed it, `gone_at` when it was deleted at Vipps or found missing there.
    """

    public_id = models.UUIDField(default=clock.new_id, unique=True, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="webhook_registrations")
    environment = models.CharField(_("environment"), max_length=10, choices=Environment.choices)
    sales_unit = models.ForeignKey(
        SalesUnit, on_delete=models.PROTECT, null=True, blank=True, related_name="webhook_registrations"
    )
    key_set = models.ForeignKey(
        KeySet, on_delete=models.PROTECT, null=True, blank=True, related_name="webhook_registrations"
    )
    token = models.CharField(max_length=43, unique=True, editable=False)
    url = models.CharField(_("address"), max_length=300)
    events = ArrayField(models.CharField(max_length=80), verbose_name=_("events"))
    provider_id = models.CharField(_("Vipps' id"), max_length=64, blank=True)
    fingerprint = models.CharField(_("fingerprint"), max_length=8, blank=True)
    opened_at = models.DateTimeField(_("opened"), default=clock.db_now)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    seen_at = models.DateTimeField(_("last listed by Vipps"), null=True, blank=True)
    renewal_asked_at = models.DateTimeField(_("renewal asked for"), null=True, blank=True)
    gone_at = models.DateTimeField(_("gone at Vipps"), null=True, blank=True)

    class Meta:
        verbose_name = _("webhook registration")
        verbose_name_plural = _("webhook registrations")
        constraints = [
            models.CheckConstraint(
                condition=Q(sales_unit__isnull=False, key_set__isnull=True)
                | Q(sales_unit__isnull=True, key_set__isnull=False),
                name="registration_has_one_subject",
            ),
            models.UniqueConstraint(
                fields=["environment", "provider_id"], condition=~Q(provider_id=""), name="registration_once_at_vipps"
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="registration_address_is_immutable",
                fields=["public_id", "company", "environment", "sales_unit", "key_set", "token", "url"],
            ),
            *never_deleted("webhook_registration"),
        ]

    def __str__(self) -> str:
        return f"{self.sales_unit or self.key_set} · {self.token[:6]}…"

    @property
    def subject(self) -> str:
        """The MSN, or the partner's id."""
        return self.sales_unit.msn if self.sales_unit else self.key_set.subject if self.key_set else ""

    @property
    def standing(self) -> Standing:
        """At Vipps, by what was last seen there."""
        if self.gone_at is not None or (self.ended_at is not None and not self.provider_id):
            return Standing.GONE
        if self.ended_at is not None:
            return Standing.TO_BE_DELETED
        if self.confirmed_at is None:
            return Standing.NOT_REGISTERED
        return Standing.STANDS if self.seen_at is not None else Standing.NOT_YET_SEEN


class NoticeVerdict(models.TextChoices):
    """What a worker made of a notice; only a genuine one is a reason to look."""

    UNREAD = "", _("not read yet")
    GENUINE = "genuine", _("genuine")
    DUPLICATE = "duplicate", _("genuine, told before")
    CHANGED = "changed", _("body does not fit its hash")
    FORGED = "forged", _("signature is wrong")
    STALE = "stale", _("signed too long before or after it came")
    MALFORMED = "malformed", _("genuine, but not understood")
    OTHER_UNIT = "other_unit", _("names a sales unit of another registration")
    ENDED = "ended", _("the registration had ended")
    UNREADABLE = "unreadable", _("no secret to check it with")


class Notice(models.Model):
    """One call of Vipps, as it came: nothing of it is believed before `verdict` says so.

    `msn`, `reference`, `name` and `psp_reference` are read from the body of a genuine notice only; together they are
    told once. Kept for good: only the verdict and these four are ever written later.
    """

    registration = models.ForeignKey(WebhookRegistration, on_delete=models.PROTECT, related_name="notices")
    body = models.BinaryField()
    headers = models.JSONField(_("headers"))
    received_at = models.DateTimeField(_("received"), default=clock.db_now)
    verdict = models.CharField(
        _("verdict"), max_length=12, choices=NoticeVerdict.choices, default=NoticeVerdict.UNREAD, blank=True
    )
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    environment = models.CharField(max_length=10, blank=True)
    msn = models.CharField("MSN", max_length=10, blank=True)
    reference = models.CharField(_("reference"), max_length=64, blank=True, db_collation="C")
    name = models.CharField(_("event"), max_length=60, blank=True)
    psp_reference = models.CharField(_("Vipps' reference"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "msn", "reference", "name", "psp_reference"],
                condition=Q(verdict="genuine"),
                name="notice_told_once",
            )
        ]
        indexes = [
            models.Index(fields=["registration", "-id"], name="notice_unread", condition=Q(verdict="")),
            models.Index(fields=["-received_at"], name="notice_newest"),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="notice_is_kept_as_it_came", fields=["registration", "body", "headers", "received_at"]),
            *never_deleted("notice"),
        ]

    def __str__(self) -> str:
        return f"{self.name or self.get_verdict_display()} {self.reference}".strip()
