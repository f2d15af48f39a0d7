"""How refunds look over REST, and what a request for one may say."""

import re
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty

from refunds.api.goods import GoodsListField, LineLeftSerializer, RefundLineSerializer, shown_lines
from refunds.lines import left_of_lines
from refunds.models import Kind, Refund, State, Tier
from refunds.models.policy import REASON_CODE
from refunds.progress import progress_of
from refunds.queries import Left
from stores import settled
from stores.api.documents import ProblemSerializer
from stores.api.fields import AmountSerializer, StrictBoolean, StrictSerializer, StrictText, UtcField
from stores.api.ids import ORDER, REFUND, shown_id
from stores.api.serializers import MoneySerializer, StoreSerializer
from stores.models import Channel

KEY = re.compile(r"[\x21-\x7e]{1,100}", re.ASCII)
"""An idempotency key, whole."""
MOST_WISHES = 100
"""In one call."""


class KeyField(serializers.RegexField):
    """1 to 100 visible ASCII characters; every other value is one error, invalid_key."""

    def __init__(self, **options: Any) -> None:
        super().__init__(r"^[\x21-\x7e]{1,100}$", trim_whitespace=False, **options)

    def run_validation(self, data: Any = empty) -> Any:
        if data is not empty and not (isinstance(data, str) and KEY.fullmatch(data)):
            raise serializers.ValidationError(_("An Idempotency-Key is 1 to 100 visible ASCII characters."), code="invalid_key")
        return super().run_validation(data)


class ReasonField(StrictText):
    """A reason's code; whether it may be chosen now, headquarters' policy says."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=20, **options)

    def to_internal_value(self, data: Any) -> str:
        code = super().to_internal_value(data)
        if not REASON_CODE.fullmatch(code):
            raise serializers.ValidationError(_("This is no reason's code: see GET /reasons."), code="invalid_choice")
        return code


class OrderBodySerializer(StrictSerializer):
    """One order: by `order_id`, or by `store` and `reference` (and `channel`, where both are not enough).

    The asking store is always the one the API key belongs to; the sales unit always the one that sold.
    """

    order_id = StrictText(required=False, max_length=64, help_text="ord_ and 32 hexadecimal digits")
    store = StrictText(required=False, max_length=20, help_text="the code of the store that sold")
    reference = StrictText(required=False, max_length=64)
    channel = serializers.ChoiceField(choices=Channel.choices, required=False)
    reason = ReasonField(help_text="a code of GET /reasons")
    reason_text = StrictText(required=False, allow_blank=True, max_length=200, help_text="required where a reason needs_words")
    cashier = StrictText(max_length=80, help_text="the till's own id of its cashier")

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        by_reference = {"store", "reference"} & asked.keys()
        if "order_id" in asked and (by_reference or "channel" in asked):
            raise serializers.ValidationError(
                {"order_id": [_("Name the order by its id, or by store and reference; not both.")]}, code="invalid"
            )
        if "order_id" not in asked and len(by_reference) < 2:
            raise serializers.ValidationError(
                {"order_id": [_("Name the order by its id, or by store and reference.")]}, code="required"
            )
        return asked


class RefundBodySerializer(OrderBodySerializer):
    """A refund of one order: what is refunded is debited to the sales unit that sold."""

    amount = AmountSerializer()
    lines = GoodsListField(
        required=False,
        help_text="which goods go back, where the order has lines: no line goes back more often than it was sold",
    )
    has_receipt = StrictBoolean(
        required=False, default=True, help_text="false: the customer has none; headquarters may ask for a second person then"
    )
    confirms_duplicate = StrictBoolean(
        required=False, default=False, help_text="this is another return, not the one that possible_duplicate names"
    )
    confirms_dispute = StrictBoolean(
        required=False,
        default=False,
        help_text="refund although the customer's bank took the money back (disputed_capture); headquarters then approves it",
    )


class ReleaseBodySerializer(OrderBodySerializer):
    """The release of all that is reserved for one order; a part cannot be released."""


class BulkItemSerializer(RefundBodySerializer):
    """A refund as in a call of its own, with its key beside it."""

    idempotency_key = KeyField(help_text="as the header Idempotency-Key of a call of its own")


class BulkListSerializer(StrictSerializer):
    """1 to 100 wishes; each is read by itself, so that a wrong one does not hurt the others."""

    refunds = serializers.ListField(child=serializers.JSONField(), min_length=1, max_length=MOST_WISHES)


class BulkBodySerializer(StrictSerializer):
    """1 to 100 refunds."""

    refunds = serializers.ListField(child=BulkItemSerializer(), min_length=1, max_length=MOST_WISHES)


class RefundSerializer(serializers.Serializer[Any]):
    """A refund and where it stands. `is_final` False: ask again; never send it again under another key."""

    id = serializers.SerializerMethodField()
    number = serializers.IntegerField(help_text="counts the refunds of the order from 1")
    order_id = serializers.SerializerMethodField()
    reference = serializers.CharField(source="order.reference")
    store = StoreSerializer(source="order.store", help_text="the store that sold, whose sales unit is debited")
    refunding_store = StoreSerializer(help_text="the store that took the goods back")
    kind = serializers.ChoiceField(choices=Kind.choices)
    amount = serializers.SerializerMethodField(help_text="of a release: what was reserved when it was asked for")
    reason = serializers.CharField(help_text="a code of GET /reasons, or one that has been there before")
    reason_text = serializers.CharField(allow_blank=True)
    lines = RefundLineSerializer(many=True, help_text="the goods it is for; empty where only money goes back")
    cashier = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=State.choices)
    is_final = serializers.SerializerMethodField()
    headline = serializers.SerializerMethodField()
    explanation = serializers.SerializerMethodField()
    needs_approval_of = serializers.ChoiceField(
        choices=Tier.choices, allow_blank=True, help_text="whose yes it needs: store (a manager of either) or headquarters"
    )
    outcome = serializers.CharField(allow_blank=True, help_text="the hub's word for how it ended, or why it waits")
    provider_code = serializers.CharField(allow_blank=True, help_text="Vipps' own error code, where there was one")
    trace_id = serializers.CharField(allow_blank=True, help_text="Vipps' trace id of the last call")
    accepted_at = UtcField()
    next_check_at = serializers.SerializerMethodField()
    ended_at = UtcField(allow_null=True)

    def get_id(self, refund: Refund) -> str:
        return shown_id(REFUND, refund.pk)

    def get_order_id(self, refund: Refund) -> str:
        return shown_id(ORDER, refund.order.public_id)

    @extend_schema_field(MoneySerializer)
    def get_amount(self, refund: Refund) -> dict[str, Any]:
        return {"amount_minor": refund.shown_minor, "currency": refund.currency}

    def get_is_final(self, refund: Refund) -> bool:
        return refund.has_ended

    def get_headline(self, refund: Refund) -> str:
        return str(progress_of(refund).headline)

    def get_explanation(self, refund: Refund) -> str:
        return str(progress_of(refund).explanation)

    @extend_schema_field(UtcField(allow_null=True))
    def get_next_check_at(self, refund: Refund) -> datetime | None:
        return progress_of(refund).next_check_at


class BulkResultSerializer(serializers.Serializer[Any]):
    """What became of one wish: its refund, or the problem that a call of its own would have been answered with."""

    index = serializers.IntegerField(help_text="counts the wishes from 0")
    outcome = serializers.ChoiceField(choices=["accepted", "repeated", "refused"])
    refund = RefundSerializer(allow_null=True)
    problem = ProblemSerializer(allow_null=True)


class BulkAnswerSerializer(serializers.Serializer[Any]):
    """An outcome for each wish, in the wishes' order."""

    results = BulkResultSerializer(many=True)


class RefundPageSerializer(serializers.Serializer[Any]):
    """A page of refunds, newest first. `next_cursor` is empty on the last one."""

    refunds = RefundSerializer(many=True)
    next_cursor = serializers.CharField(allow_blank=True)


class RefundQuerySerializer(StrictSerializer):
    """What may be asked of the list."""

    order_id = serializers.CharField(required=False, max_length=64, help_text="only refunds of this order")
    cursor = serializers.CharField(required=False, allow_blank=True, max_length=200)
    limit = serializers.IntegerField(required=False, min_value=1, default=20, help_text="at most 100; more counts as 100")


class InFlightSerializer(serializers.Serializer[Any]):
    """Money on its way back, or a reservation being released, asked for by any store of the chain."""

    kind = serializers.ChoiceField(choices=Kind.choices)
    amount_minor = serializers.IntegerField()
    store_name = serializers.CharField()
    state = serializers.ChoiceField(choices=State.choices)


class RefundableSerializer(serializers.Serializer[Any]):
    """What can still be refunded of an order, minor units of `currency`. While `on_hold` nothing is accepted."""

    order_id = serializers.SerializerMethodField()
    currency = serializers.CharField()
    captured_minor = serializers.IntegerField()
    posted_minor = serializers.IntegerField(help_text="refunded through the hub")
    external_minor = serializers.IntegerField(help_text="refunded elsewhere")
    reserved_minor = serializers.IntegerField(help_text="set aside for refunds that are not final")
    left_minor = serializers.IntegerField()
    releasable_minor = serializers.IntegerField(
        help_text="reserved at Vipps and not taken when it was last read: what a release would let go"
    )
    is_released = serializers.BooleanField(help_text="what was reserved has been released; nothing is left")
    on_hold = serializers.BooleanField()
    is_confirmed = serializers.BooleanField(help_text="captured_minor is Vipps' figure, not the store's claim")
    disputed_minor = serializers.SerializerMethodField(help_text="what the customer's bank took back and still has")
    in_flight = InFlightSerializer(many=True)
    lines = serializers.SerializerMethodField(help_text="what was sold, and how much of it can still go back")

    @extend_schema_field(LineLeftSerializer(many=True))
    def get_lines(self, left: Left) -> list[dict[str, Any]]:
        return shown_lines(left_of_lines(self.context["order"]), left_minor=left.left_minor)

    def get_order_id(self, _left: Any) -> str:
        return shown_id(ORDER, self.context["order"].public_id)

    def get_disputed_minor(self, _left: Any) -> int:
        return settled.disputed_minor(self.context["order"])


class ReasonSerializer(serializers.Serializer[Any]):
    """A reason that may be given now. `labels` by language: en, nb, da, sv, fi."""

    code = serializers.CharField()
    labels = serializers.DictField(child=serializers.CharField())
    needs_words = serializers.BooleanField(help_text="reason_text is required")


class ReasonsSerializer(serializers.Serializer[Any]):
    """The reasons of the policy in force, in the order in which people are shown them."""

    policy = serializers.IntegerField(help_text="the version in force; 0 is what the hub brings along")
    reasons = ReasonSerializer(many=True)
