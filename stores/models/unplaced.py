"""Payments that Vipps knows and nobody can say which store sold: kept with their facts until somebody can."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stores import clock
from stores.models.append_only import never_deleted
from stores.models.order import Order, PaidAtFrom
from stores.models.people import User
from stores.models.store import SalesUnit


class WhyUnplaced(models.TextChoices):
    """Why the hub does not say which store sold it."""

    NO_STORE = "no_store", _("no store sold under this reference at that time")
    SEVERAL_STORES = "several_stores", _("several stores may have sold it")
    OTHER_CURRENCY = "other_currency", _("it is in another currency than its sales unit")


class UnplacedPayment(models.Model):
    """What Vipps said of a payment, as an order has it; it becomes one as soon as its store is known.

    `store_hint` is the store that the payment's own metadata names. Placed by a store that claims it, by a reading that
    tells more, by a sales unit whose stores were entered later, or by a person at headquarters (`placed_by`).
    """

    sales_unit = models.ForeignKey(
        SalesUnit, verbose_name=_("sales unit"), on_delete=models.PROTECT, related_name="unplaced_payments"
    )
    reference = models.CharField(_("reference"), max_length=64, db_collation="C")
    currency = models.CharField(_("currency"), max_length=10)
    captured_minor = models.BigIntegerField(_("captured amount"), null=True, blank=True)
    refunded_seen_minor = models.BigIntegerField(_("refunded at Vipps when last read"), null=True, blank=True)
    uncaptured_seen_minor = models.BigIntegerField(_("reserved and not taken at Vipps when last read"), null=True, blank=True)
    paid_at = models.DateTimeField(_("paid"))
    paid_at_from = models.PositiveSmallIntegerField(_("whose time that is"), choices=PaidAtFrom.choices)
    receipt_number = models.CharField(_("receipt number"), max_length=40, blank=True)
    store_hint = models.CharField(_("store named in the payment"), max_length=40, blank=True)
    confirmed_at = models.DateTimeField(_("confirmed by Vipps"))
    why = models.CharField(_("why"), max_length=20, choices=WhyUnplaced.choices)
    seen_at = models.DateTimeField(_("seen"), default=clock.db_now)
    tried_at = models.DateTimeField(_("last tried"), default=clock.db_now)
    order = models.OneToOneField(
        Order, verbose_name=_("order"), on_delete=models.PROTECT, null=True, blank=True, related_name="was_unplaced"
    )
    placed_at = models.DateTimeField(_("placed"), null=True, blank=True)
    placed_by = models.ForeignKey(
        User, verbose_name=_("placed by"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("payment without a store")
        verbose_name_plural = _("payments without a store")
        constraints = [
            models.UniqueConstraint(fields=["sales_unit", "reference"], name="unplaced_once_per_sales_unit"),
            models.CheckConstraint(
                condition=Q(order=None, placed_at=None) | Q(order__isnull=False, placed_at__isnull=False),
                name="unplaced_until_it_is_an_order",
            ),
        ]
        indexes = [models.Index(fields=["tried_at"], name="unplaced_waiting", condition=Q(order=None))]
        triggers = never_deleted("unplaced_payment")

    def __str__(self) -> str:
        return self.reference
