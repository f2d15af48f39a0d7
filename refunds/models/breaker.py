"""A circuit breaker: after too many failures in a row, what is behind it is left alone for a while."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stores import clock
from stores.models import Environment, SalesUnit
from stores.models.append_only import never_deleted


class Breaker(models.Model):
    """Failures in a row of one environment's host, or refusals in a row of one sales unit's set-up.

    Open while `opened_at` is set. A host's breaker lets one refund try again after `open_until`; a sales unit's stays open
    until its keys change or headquarters closes it, so that no customer's refund is declined for trying.
    """

    environment = models.CharField(_("environment"), max_length=10, choices=Environment.choices)
    sales_unit = models.ForeignKey(
        SalesUnit, verbose_name=_("sales unit"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    opened_at = models.DateTimeField(_("open since"), null=True, blank=True)
    open_until = models.DateTimeField(_("tried again"), null=True, blank=True)
    problem = models.CharField(_("what went wrong last"), max_length=200, blank=True)
    keys = models.CharField(max_length=60, blank=True)
    changed_at = models.DateTimeField(_("changed"), default=clock.db_now)

    class Meta:
        verbose_name = _("circuit breaker")
        verbose_name_plural = _("circuit breakers")
        constraints = [
            models.UniqueConstraint(fields=["environment"], condition=Q(sales_unit=None), name="breaker_once_per_host"),
            models.UniqueConstraint(fields=["sales_unit"], name="breaker_once_per_sales_unit"),
            models.CheckConstraint(
                condition=Q(open_until=None) | Q(opened_at__isnull=False), name="closed_breaker_waits_for_nothing"
            ),
        ]
        triggers = never_deleted("breaker")

    def __str__(self) -> str:
        return str(self.sales_unit) if self.sales_unit else f"Vipps · {self.get_environment_display()}"

    @property
    def is_open(self) -> bool:
        return self.opened_at is not None
