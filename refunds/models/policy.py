"""The chain's limits as data: versions with dates of effect, each drafted by one person and put into force by another."""

import re

import pgtrigger
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from refunds.models.refund import AskerRole, Tier
from refunds.models.review import Proposal, Verdict
from stores.models import Company, Store
from stores.models.append_only import never_deleted
from stores.money import CURRENCIES

REASON_CODE = re.compile(r"[a-z][a-z0-9_]{1,19}", re.ASCII)
LONGEST_LABEL = 60
MOST_DAYS = 365
LARGEST_LIMIT = 10**12


class Measure(models.TextChoices):
    """What is compared with a limit: this refund, or what went back in the last 24 hours together with it."""

    REFUND = "refund", _("one refund")
    ORDER = "order", _("an order, in 24 hours")
    CASHIER = "cashier", _("a cashier, in 24 hours")
    TILL = "till", _("a till or a store's desk, in 24 hours")
    STORE = "store", _("a store, in 24 hours")


_WAITS = Q(verdict="", decided_by=None, decided_at=None)
_WITHDRAWN = Q(verdict=Verdict.WITHDRAWN, decided_by=None, decided_at__isnull=False)
_JUDGED = Q(verdict__in=[Verdict.CONFIRMED, Verdict.REJECTED], decided_by__isnull=False, decided_at__isnull=False) & ~Q(
    decided_by=F("proposed_by")
)
_OF_A_DECIDED = "EXISTS (SELECT FROM refunds_policyversion WHERE id = {row}.version_id AND verdict <> '')"
_NEVER_CHANGES = "RAISE EXCEPTION 'a policy version that was decided never changes';"


def _kept_once_decided(name: str) -> list[pgtrigger.Trigger]:
    """A version's rows come and go while it is a draft, and never afterwards."""
    return [
        pgtrigger.Trigger(
            name=f"{name}_new_in_a_draft",
            when=pgtrigger.Before,
            operation=pgtrigger.Insert | pgtrigger.Update,
            func=f"IF {_OF_A_DECIDED.format(row='NEW')} THEN {_NEVER_CHANGES} END IF; RETURN NEW;",
        ),
        pgtrigger.Trigger(
            name=f"{name}_old_in_a_draft",
            when=pgtrigger.Before,
            operation=pgtrigger.Update,
            func=f"IF {_OF_A_DECIDED.format(row='OLD')} THEN {_NEVER_CHANGES} END IF; RETURN NEW;",
        ),
        pgtrigger.Trigger(
            name=f"{name}_gone_from_a_draft",
            when=pgtrigger.Before,
            operation=pgtrigger.Delete,
            func=f"IF {_OF_A_DECIDED.format(row='OLD')} THEN {_NEVER_CHANGES} END IF; RETURN OLD;",
        ),
    ]


class PolicyVersion(Proposal):
    """A whole set of rules and reasons. The newest confirmed one whose `in_force_from` has come is in force."""

    company = models.ForeignKey(Company, verbose_name=_("company"), on_delete=models.PROTECT, related_name="policies")
    number = models.PositiveIntegerField(_("number"))
    in_force_from = models.DateTimeField(_("in force from"))

    class Meta:
        verbose_name = _("policy version")
        verbose_name_plural = _("policy versions")
        constraints = [
            models.UniqueConstraint(fields=["company", "number"], name="policy_number_once"),
            models.CheckConstraint(condition=_WAITS | _WITHDRAWN | _JUDGED, name="policy_is_put_in_force_by_two_people"),
            models.CheckConstraint(condition=~Q(note=""), name="policy_says_why"),
        ]
        indexes = [
            models.Index(
                fields=["company", "-in_force_from", "-number"],
                name="policy_in_force",
                condition=Q(verdict=Verdict.CONFIRMED),
            )
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="policy_version_keeps_its_author", fields=["company", "number", "proposed_by", "proposed_at"]
            ),
            pgtrigger.Protect(
                name="policy_version_is_final", operation=pgtrigger.Update, condition=~pgtrigger.Q(old__verdict="")
            ),
            *never_deleted("policy_version"),
        ]

    def __str__(self) -> str:
        return str(_("Policy %(number)s") % {"number": self.number})


class PolicyRule(models.Model):
    """More than `above_minor` of what is measured needs a yes, where every condition that is named fits.

    Minor units of `currency`; without a currency the limit is zero: whatever fits needs a yes.
    """

    version = models.ForeignKey(PolicyVersion, on_delete=models.CASCADE, related_name="rules")
    position = models.PositiveSmallIntegerField(default=0)
    measure = models.CharField(_("what is measured"), max_length=8, choices=Measure.choices, default=Measure.REFUND)
    above_minor = models.BigIntegerField(_("needs a yes above"), default=0)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    role = models.CharField(_("asked for by"), max_length=8, choices=AskerRole.choices, blank=True)
    store = models.ForeignKey(
        Store, verbose_name=_("refunded in"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    older_than_days = models.PositiveSmallIntegerField(_("paid more than so many days ago"), default=0)
    reason = models.CharField(_("reason"), max_length=20, blank=True)
    without_receipt = models.BooleanField(_("without a receipt"), default=False)
    allowed_by = models.CharField(_("who may allow it"), max_length=12, choices=Tier.choices, default=Tier.STORE)

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ("position", "id")
        constraints = [
            models.CheckConstraint(
                condition=Q(above_minor__gte=0, above_minor__lte=LARGEST_LIMIT), name="policy_limit_is_a_sum"
            ),
            models.CheckConstraint(
                condition=Q(currency__in=CURRENCIES) | Q(currency="", above_minor=0, measure=Measure.REFUND),
                name="policy_limit_names_its_currency",
            ),
            models.CheckConstraint(condition=Q(older_than_days__lte=MOST_DAYS), name="policy_window_is_within_vipps_own"),
        ]
        triggers = _kept_once_decided("policy_rule")

    def __str__(self) -> str:
        return f"{self.get_measure_display()} > {self.above_minor} {self.currency}".strip()


class PolicyReason(models.Model):
    """A reason that cashiers can choose, in every language of the hub; one that `needs_words` must be explained as well."""

    version = models.ForeignKey(PolicyVersion, on_delete=models.CASCADE, related_name="reasons")
    position = models.PositiveSmallIntegerField(default=0)
    code = models.CharField(_("code"), max_length=20, validators=[RegexValidator(r"^[a-z][a-z0-9_]{1,19}$")])
    label_en = models.CharField(_("in English"), max_length=LONGEST_LABEL)
    label_nb = models.CharField(_("in Norwegian"), max_length=LONGEST_LABEL)
    label_da = models.CharField(_("in Danish"), max_length=LONGEST_LABEL)
    label_sv = models.CharField(_("in Swedish"), max_length=LONGEST_LABEL)
    label_fi = models.CharField(_("in Finnish"), max_length=LONGEST_LABEL)
    needs_words = models.BooleanField(_("needs words"), default=False)

    class Meta:
        verbose_name = _("reason")
        verbose_name_plural = _("reasons")
        ordering = ("position", "id")
        constraints = [models.UniqueConstraint(fields=["version", "code"], name="policy_reason_once")]
        triggers = _kept_once_decided("policy_reason")

    def __str__(self) -> str:
        return self.label_en
