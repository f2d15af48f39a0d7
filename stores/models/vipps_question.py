"""A reference that the index does not know, asked of Vipps itself: who asked, which sales units, and what each said."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stores import clock
from stores.models.api_key import StoreSystem
from stores.models.append_only import never_deleted
from stores.models.order import Order
from stores.models.people import User
from stores.models.store import Company, SalesUnit, Store


class VippsQuestion(models.Model):
    """One question. The row is the work: a worker claims it until `claimed_until`, and ends it.

    `store` is the one that was named, null for every store that could have sold it; `from_store` where the asker stands.
    """

    public_id = models.UUIDField(default=clock.new_id, unique=True, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="vipps_questions")
    reference = models.CharField(_("reference"), max_length=64, db_collation="C")
    store = models.ForeignKey(
        Store, verbose_name=_("store"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    from_store = models.ForeignKey(Store, verbose_name=_("asked from"), on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    system = models.ForeignKey(StoreSystem, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    asked_at = models.DateTimeField(_("asked"), default=clock.db_now)
    nudged_at = models.DateTimeField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("question to Vipps")
        verbose_name_plural = _("questions to Vipps")
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, system__isnull=True) | Q(user__isnull=True, system__isnull=False),
                name="question_has_one_asker",
            )
        ]
        indexes = [
            models.Index(fields=["user", "-asked_at"], name="question_user"),
            models.Index(fields=["system", "-asked_at"], name="question_system"),
            models.Index(fields=["company", "-asked_at"], name="question_company"),
            models.Index(fields=["asked_at"], name="question_open", condition=Q(ended_at=None)),
        ]
        triggers = never_deleted("vipps_question")

    def __str__(self) -> str:
        return self.reference


class UnitAnswer(models.TextChoices):
    """What Vipps said for one sales unit."""

    WAITING = "", _("not asked yet")
    FOUND = "found", _("found")
    UNPLACED = "unplaced", _("found, but nobody can say which store sold it")
    NOT_THERE = "not_there", _("not there")
    COULD_NOT = "could_not", _("could not be asked")


class AskedUnit(models.Model):
    """One sales unit of a question. `problem` says why it could not be asked; `order` is what was found."""

    question = models.ForeignKey(VippsQuestion, on_delete=models.PROTECT, related_name="units")
    sales_unit = models.ForeignKey(SalesUnit, verbose_name=_("sales unit"), on_delete=models.PROTECT, related_name="+")
    answer = models.CharField(
        _("answer"), max_length=10, choices=UnitAnswer.choices, default=UnitAnswer.WAITING, blank=True
    )
    problem = models.CharField(_("why not"), max_length=40, blank=True)
    order = models.ForeignKey(
        Order, verbose_name=_("order"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)

    class Meta:
        verbose_name = _("asked sales unit")
        verbose_name_plural = _("asked sales units")
        constraints = [models.UniqueConstraint(fields=["question", "sales_unit"], name="unit_asked_once")]

    def __str__(self) -> str:
        return f"{self.question} · {self.sales_unit}"
