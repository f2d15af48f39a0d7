"""What store systems are told: where they listen, and every message with what became of it."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from refunds.models.refund import Refund
from stores import clock
from stores.models import StoreSystem
from stores.models.append_only import never_deleted


class WebhookEndpoint(models.Model):
    """An address where a store system hears of its store's refunds: those it made, and those of its own sales.

    Messages are signed with the system's own secret (`stores.signing`).
    """

    public_id = models.UUIDField(default=clock.new_id, unique=True, editable=False)
    system = models.ForeignKey(StoreSystem, on_delete=models.PROTECT, related_name="endpoints")
    url = models.CharField(_("address"), max_length=500)
    is_active = models.BooleanField(_("active"), default=True)
    added_at = models.DateTimeField(_("added"), default=clock.db_now)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("webhook address")
        verbose_name_plural = _("webhook addresses")
        constraints = [
            models.UniqueConstraint(fields=["system", "url"], condition=Q(is_active=True), name="endpoint_once_per_system")
        ]
        triggers = [
            pgtrigger.ReadOnly(name="endpoint_address_is_immutable", fields=["public_id", "system", "url"]),
            *never_deleted("webhook_endpoint"),
        ]

    def __str__(self) -> str:
        return f"{self.system} · {self.url}"


class EventType(models.TextChoices):
    """What a store system is told of: every end, and the two states in which nobody knows yet."""

    REFUNDED = "refund.refunded", _("refunded")
    RELEASED = "refund.released", _("released")
    DECLINED = "refund.declined", _("declined by Vipps")
    REJECTED = "refund.rejected", _("not approved")
    CANCELLED = "refund.cancelled", _("cancelled")
    UNKNOWN = "refund.unknown", _("being found out")
    REVIEW = "refund.review", _("with headquarters")


class Delivery(models.Model):
    """One message to one address. The row is the work: `next_try_at` says when; empty and not delivered means given up.

    `id` stays the same for every try, so that a receiver can drop a second copy; `version` rises with every change of the
    refund, so that it can drop old news. `body` is the very text that is signed and sent.
    """

    id = models.UUIDField(primary_key=True, default=clock.new_id, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries")
    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="deliveries")
    event = models.CharField(_("event"), max_length=30, choices=EventType.choices)
    version = models.PositiveIntegerField(_("version"))
    body = models.TextField(_("message"))
    written_at = models.DateTimeField(_("written"), default=clock.db_now)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True, default=clock.db_now)
    nudged_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    last_status = models.PositiveSmallIntegerField("HTTP", null=True, blank=True)
    problem = models.CharField(_("what went wrong last"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "refund", "version"], name="told_once_per_version"),
            models.CheckConstraint(
                condition=Q(delivered_at=None) | Q(next_try_at=None), name="delivered_is_not_tried_again"
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], name="delivery_due", condition=Q(next_try_at__isnull=False)),
            models.Index(fields=["-written_at"], name="delivery_newest"),
            models.Index(
                fields=["written_at"], name="delivery_given_up", condition=Q(next_try_at=None, delivered_at=None)
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="delivery_message_is_immutable",
                fields=["id", "endpoint", "refund", "event", "version", "body", "written_at"],
            ),
            *never_deleted("delivery"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.refund}"

    @property
    def has_failed(self) -> bool:
        """Given up after the last try; it can be sent again by hand."""
        return self.delivered_at is None and self.next_try_at is None
