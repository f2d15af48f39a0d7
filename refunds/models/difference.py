"""Where the hub, Vipps' event log and the settlement do not agree about an order: a row that somebody has to close."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stores import clock
from stores.models import Order, User
from stores.models.append_only import never_deleted


class DifferenceKind(models.TextChoices):
    """Which two sides do not fit."""

    EVENT_LOG = "event_log", _("the hub and Vipps' event log differ")
    PAYMENT_SUM = "payment_sum", _("Vipps' own sum and its event log differ")
    SETTLEMENT = "settlement", _("the settlement and Vipps' event log differ")
    TAKEN_BACK = "taken_back", _("Vipps took a refund back after it had succeeded")
    PAID_TWICE = "paid_twice", _("refunded, and taken back by the customer's bank as well")


class Closing(models.TextChoices):
    """How a difference came to its end."""

    EXPLAINED = "explained", _("explained by a person")
    GONE = "gone", _("gone at a later look")


class Difference(models.Model):
    """One difference of one order; at most one of each kind is open. Amounts are minor units of the order's currency.

    A side is empty where it was not compared. `detail` names Vipps' references. An explanation holds for the amounts it
    was given for: with others, the difference is opened anew.
    """

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="differences")
    kind = models.CharField(_("what differs"), max_length=12, choices=DifferenceKind.choices)
    hub_minor = models.BigIntegerField(_("the hub"), null=True, blank=True)
    events_minor = models.BigIntegerField(_("Vipps' event log"), null=True, blank=True)
    payment_minor = models.BigIntegerField(_("Vipps' sum"), null=True, blank=True)
    settled_minor = models.BigIntegerField(_("settlement"), null=True, blank=True)
    detail = models.CharField(_("detail"), max_length=300, blank=True)
    found_at = models.DateTimeField(_("found"), default=clock.db_now)
    last_seen_at = models.DateTimeField(_("last seen"), default=clock.db_now)
    owner = models.ForeignKey(
        User, verbose_name=_("owner"), on_delete=models.PROTECT, null=True, blank=True, related_name="differences"
    )
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closing = models.CharField(_("how it was closed"), max_length=10, choices=Closing.choices, blank=True)
    closed_by = models.ForeignKey(
        User, verbose_name=_("closed by"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    note = models.CharField(_("explanation"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("difference")
        verbose_name_plural = _("differences")
        constraints = [
            models.UniqueConstraint(fields=["order", "kind"], condition=Q(closed_at=None), name="difference_once_open"),
            models.CheckConstraint(
                condition=Q(closed_at=None, closing="") | (Q(closed_at__isnull=False) & ~Q(closing="")),
                name="difference_says_how_it_was_closed",
            ),
            models.CheckConstraint(
                condition=~Q(closing=Closing.EXPLAINED) | (Q(closed_by__isnull=False) & ~Q(note="")),
                name="explanation_has_a_person_and_words",
            ),
        ]
        indexes = [models.Index(fields=["found_at"], name="difference_open", condition=Q(closed_at=None))]
        triggers = [
            pgtrigger.ReadOnly(name="difference_is_of_one_order", fields=["order", "kind", "found_at"]),
            *never_deleted("difference"),
        ]

    def __str__(self) -> str:
        return f"{self.order.reference} · {self.get_kind_display()}"

    @property
    def amounts(self) -> tuple[int | None, ...]:
        """The sides, in the order of the columns: what an explanation holds for."""
        return (self.hub_minor, self.events_minor, self.payment_minor, self.settled_minor)
