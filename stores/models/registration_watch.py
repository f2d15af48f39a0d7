"""Whose registrations at Vipps the hub keeps, and what became of the last look at them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stores import clock
from stores.models.key_set import KeySet
from stores.models.store import Company, SalesUnit


class RegistrationWatch(models.Model):
    """One sales unit, or one partner for all its units. The row is the work: `next_look_at` says when somebody is to look.

    `problem` is why the last look did not end well, empty if it did; `at_vipps` is how many registrations Vipps listed,
    other systems' included.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="registration_watches")
    sales_unit = models.OneToOneField(
        SalesUnit, on_delete=models.PROTECT, null=True, blank=True, related_name="registration_watch"
    )
    key_set = models.OneToOneField(
        KeySet, on_delete=models.PROTECT, null=True, blank=True, related_name="registration_watch"
    )
    next_look_at = models.DateTimeField(_("next look"), default=clock.db_now)
    last_listed_at = models.DateTimeField(_("last listed"), null=True, blank=True)
    at_vipps = models.PositiveSmallIntegerField(_("registrations at Vipps"), null=True, blank=True)
    failures = models.PositiveIntegerField(_("looks that failed in a row"), default=0)
    problem = models.CharField(_("problem"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("watch over registrations")
        verbose_name_plural = _("watches over registrations")
        constraints = [
            models.CheckConstraint(
                condition=Q(sales_unit__isnull=False, key_set__isnull=True)
                | Q(sales_unit__isnull=True, key_set__isnull=False),
                name="registration_watch_has_one_subject",
            )
        ]
        indexes = [models.Index(fields=["next_look_at"], name="registration_watch_due")]

    def __str__(self) -> str:
        return str(self.sales_unit or self.key_set)
