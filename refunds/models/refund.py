"""A refund: somebody's wish to give money back, and where it stands."""

from functools import lru_cache

import pgtrigger
from django.apps import apps
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds import telling
from stores import clock
from stores.models import Order, Store, StoreSystem, User
from stores.models.append_only import never_deleted


class State(models.TextChoices):
    """Where a refund stands. The last five are ends; only a release ends as released."""

    AWAITING_APPROVAL = "awaiting_approval", _("waits for approval")
    QUEUED = "queued", _("queued")
    SENDING = "sending", _("being sent")
    UNKNOWN = "unknown", _("being found out")
    REVIEW = "review", _("with headquarters")
    REFUNDED = "refunded", pgettext_lazy("state of a refund", "refunded")
    RELEASED = "released", pgettext_lazy("state of a refund", "released")
    DECLINED = "declined", _("declined by Vipps")
    REJECTED = "rejected", _("not approved")
    CANCELLED = "cancelled", _("cancelled")


FAILED = (State.DECLINED, State.REJECTED, State.CANCELLED)
"""Ends that came to nothing."""
ENDS = (State.REFUNDED, State.RELEASED, *FAILED)
IN_FLIGHT = (State.SENDING, State.UNKNOWN)


class Kind(models.TextChoices):
    """A captured payment is refunded; a payment that is only reserved is released (cancelled at Vipps)."""

    REFUND = "refund", _("refund")
    RELEASE = "release", _("release")


class WaitsFor(models.TextChoices):
    """What keeps a refund, waiting or being found out, from being worked on; its state says the rest."""

    PAUSE = "pause", _("headquarters to go on")
    HOST = "host", _("Vipps to answer again")
    SALES_UNIT = "sales_unit", _("the sales unit to be set right")


class Reason(models.TextChoices):
    """Why the customer gets money back; `OTHER` needs words."""

    RETURNED = "returned", _("Goods returned")
    FAULTY = "faulty", _("Faulty or damaged goods")
    WRONG_PRICE = "wrong_price", _("Wrong price")
    NOT_DELIVERED = "not_delivered", _("Not delivered")
    GOODWILL = "goodwill", _("Goodwill")
    OTHER = "other", _("Other")


class AskerRole(models.TextChoices):
    """As what somebody asks for a refund."""

    CASHIER = "cashier", _("cashier")
    MANAGER = "manager", _("manager")
    SYSTEM = "system", _("till system")


class Tier(models.TextChoices):
    """Who may allow what breaks a rule of the policy."""

    STORE = "store", _("a manager of either store, or headquarters")
    HEADQUARTERS = "headquarters", _("headquarters only")


class Refund(models.Model):
    """The row is the work: whoever finds it may try to claim it.

    `id` is derived from client and client key (UUIDv5), so that the same wish is always the same row. `fence` rises with
    each claim; `lease_until` saves work, it is not what makes us safe. `indeterminate_since` is the time of the oldest
    send of this generation whose outcome nobody knows. `verdict` remembers a refusal that waits for quiet time.
    Amounts are minor units of `currency`. A release moves no money and has no amount; `uncaptured_minor` is what was seen to be
    reserved when it was asked for. `origin_store` is the order's own; the database writes it, for lists that go by it.
    `policy_version` judged it (None: the settings did), `breaches` are the rules it broke, `needs_approval_of` says whose yes
    it needed for that; "" is nobody's.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="refunds")
    number = models.PositiveSmallIntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.REFUND)
    amount_minor = models.BigIntegerField(_("amount"))
    uncaptured_minor = models.BigIntegerField(_("reserved at Vipps"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason.choices)
    reason_text = models.CharField(_("in words"), max_length=200, blank=True)
    has_receipt = models.BooleanField(_("with a receipt"), default=True, db_default=True)
    policy_version = models.ForeignKey(
        "refunds.PolicyVersion",
        verbose_name=_("judged by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    needs_approval_of = models.CharField(
        _("needs approval of"), max_length=12, choices=Tier.choices, blank=True, default="", db_default=""
    )
    breaches = models.JSONField(_("rules it broke"), default=list, blank=True, db_default=models.Value([], models.JSONField()))
    refunding_store = models.ForeignKey(
        Store, verbose_name=_("refunding store"), on_delete=models.PROTECT, related_name="refunds_made"
    )
    origin_store = models.ForeignKey(
        Store,
        verbose_name=_("origin store"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        db_index=False,
        related_name="sales_refunded",
    )
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="refunds")
    requested_by_system = models.ForeignKey(
        StoreSystem, on_delete=models.PROTECT, null=True, blank=True, related_name="refunds"
    )
    cashier = models.CharField(_("cashier"), max_length=80, blank=True)
    client_id = models.CharField(max_length=80)
    client_key = models.CharField(max_length=100)
    fingerprint = models.CharField(max_length=64)
    state = models.CharField(_("state"), max_length=20, choices=State.choices)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    generation = models.PositiveSmallIntegerField(default=0)
    sends = models.PositiveIntegerField(default=0)
    soft_refusals = models.PositiveIntegerField(default=0)
    indeterminate_since = models.DateTimeField(null=True, blank=True)
    last_send_at = models.DateTimeField(null=True, blank=True)
    verdict = models.CharField(max_length=40, blank=True)
    waits_for = models.CharField(_("waits for"), max_length=12, choices=WaitsFor.choices, blank=True)
    outcome = models.CharField(_("outcome"), max_length=40, blank=True)
    provider_code = models.CharField(_("Vipps' code"), max_length=20, blank=True)
    trace_id = models.CharField(_("Vipps' trace id"), max_length=80, blank=True)
    next_action_at = models.DateTimeField(_("next step"), default=clock.db_now)
    accepted_at = models.DateTimeField(_("accepted"), default=clock.db_now)
    moved_at = models.DateTimeField(_("last moved"), default=clock.db_now)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    approved_by = models.ForeignKey(
        User,
        verbose_name=_("approved by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="refunds_approved",
    )
    protocol_version = models.PositiveSmallIntegerField(default=1)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints = [
            models.UniqueConstraint(fields=["client_id", "client_key"], name="refund_once_per_client_key"),
            models.UniqueConstraint(fields=["order", "number"], name="refund_number_once_per_order"),
            models.UniqueConstraint(fields=["order"], condition=Q(state__in=IN_FLIGHT), name="one_in_flight"),
            models.CheckConstraint(
                condition=Q(kind=Kind.REFUND, amount_minor__gt=0, uncaptured_minor=None)
                | Q(kind=Kind.RELEASE, amount_minor=0, uncaptured_minor__gt=0),
                name="only_a_release_has_no_amount",
            ),
            models.CheckConstraint(
                condition=(~Q(state=State.REFUNDED) | Q(kind=Kind.REFUND))
                & (~Q(state=State.RELEASED) | Q(kind=Kind.RELEASE)),
                name="each_kind_has_its_own_success",
            ),
            models.UniqueConstraint(
                fields=["order"], condition=Q(kind=Kind.RELEASE) & ~Q(state__in=FAILED), name="one_release_per_order"
            ),
            models.CheckConstraint(
                condition=Q(requested_by__isnull=False) | Q(requested_by_system__isnull=False),
                name="refund_has_an_asker",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=models.F("requested_by")),
                name="nobody_approves_her_own_refund",
            ),
            models.CheckConstraint(condition=Q(generation__lte=3), name="at_most_three_new_keys"),
        ]
        indexes = [
            models.Index(fields=["state", "next_action_at"], name="refund_due", condition=~Q(state__in=ENDS)),
            models.Index(fields=["refunding_store", "-accepted_at"], name="refund_store_newest"),
            models.Index(fields=["requested_by", "-accepted_at"], name="refund_person_newest"),
            models.Index(fields=["origin_store", "-ended_at"], name="refund_origin_at", condition=Q(state=State.REFUNDED)),
            models.Index(fields=["ended_at"], name="refund_refunded_at", condition=Q(state=State.REFUNDED)),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="refund_intent_is_immutable",
                fields=[
                    *("id", "order", "number", "kind", "amount_minor", "uncaptured_minor", "currency", "reason", "reason_text"),
                    *("refunding_store", "requested_by", "requested_by_system", "client_id", "client_key"),
                    *("fingerprint", "accepted_at", "has_receipt", "policy_version", "needs_approval_of", "breaches"),
                ],
            ),
            pgtrigger.Trigger(
                name="refund_knows_its_origin",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="SELECT store_id INTO NEW.origin_store_id FROM stores_order WHERE id = NEW.order_id; RETURN NEW;",
            ),
            pgtrigger.ReadOnly(name="refund_origin_is_immutable", fields=["origin_store"]),
            pgtrigger.Trigger(
                name="review_is_declined_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state=State.REVIEW, new__state=State.DECLINED),
                func="""
                IF NOT EXISTS (SELECT FROM refunds_reviewproposal
                    WHERE refund_id = NEW.id AND ends_as = 'declined' AND verdict = 'confirmed') THEN
                    RAISE EXCEPTION 'two people decline a refund in review';
                END IF;
                RETURN NEW;
                """,
            ),
            *never_deleted("refund"),
        ]

    def __str__(self) -> str:
        return f"{self.order.reference} R{self.number}"

    def get_reason_display(self) -> str:  # type: ignore[no-redef]  # takes the place of the one that Django makes
        """Its reason in the reader's language, in the words of the policy that judged it."""
        labels = _labels_of(self.policy_version_id).get(self.reason) if self.policy_version_id else None
        return labels[telling.spoken()] if labels else telling.choice_in_words("reason", self.reason)

    @property
    def has_ended(self) -> bool:
        return self.state in ENDS

    @property
    def shown_minor(self) -> int:
        """The sum that people are told: what is given back, or of a release what was reserved."""
        return self.amount_minor if self.uncaptured_minor is None else self.uncaptured_minor


@lru_cache(maxsize=64)
def _labels_of(version_id: int) -> dict[str, dict[str, str]]:
    """The words of a decided version's reasons, by code and language; they never change."""
    reasons = apps.get_model("refunds", "PolicyReason").objects.filter(version=version_id)
    return {
        reason.code: {language: getattr(reason, f"label_{language}") for language in telling.LANGUAGES} for reason in reasons
    }
