"""How orders look over REST, and what may be asked of their list."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from stores.api.fields import AmountSerializer, StrictSerializer, UtcField
from stores.api.ids import ORDER, shown_id
from stores.models import Channel, Order, PaidAtFrom, SyncPosition
from stores.money import CURRENCIES
from stores.search import LONGEST_PAYLOAD

LARGEST_PAGE = 100


class StoreSerializer(serializers.Serializer[Any]):
    """A store, by the code that people use."""

    code = serializers.CharField()
    name = serializers.CharField()
    city = serializers.CharField()


class MoneySerializer(serializers.Serializer[Any]):
    """Minor units (øre, cent) with their currency."""

    amount_minor = serializers.IntegerField(min_value=0)
    currency = serializers.ChoiceField(choices=CURRENCIES)


class OrderSerializer(serializers.Serializer[Any]):
    """One payment. `amount` is what can be refunded at most: confirmed by Vipps, or claimed by the store."""

    id = serializers.SerializerMethodField()
    store = StoreSerializer()
    reference = serializers.CharField()
    channel = serializers.ChoiceField(choices=Channel.choices)
    amount = serializers.SerializerMethodField()
    is_confirmed = serializers.SerializerMethodField()
    paid_at = UtcField()
    receipt_number = serializers.CharField()
    updated_at = UtcField()

    def get_id(self, order: Order) -> str:
        return shown_id(ORDER, order.public_id)

    @extend_schema_field(MoneySerializer)
    def get_amount(self, order: Order) -> dict[str, Any]:
        return {"amount_minor": order.amount_minor, "currency": order.currency}

    def get_is_confirmed(self, order: Order) -> bool:
        return order.captured_minor is not None


class LookUpBodySerializer(StrictSerializer):
    """A whole reference, letter for letter; with the code of the store that sold, where that is known."""

    reference = serializers.RegexField(r"^[A-Za-z0-9-]{4,64}$", help_text="8 to 64 characters; 4 to 64 with a store")
    store = serializers.RegexField(r"^[A-Z0-9]{2,20}$", required=False, help_text="the code of the store that sold")


class NotAskedSerializer(serializers.Serializer[Any]):
    """A store that could not be asked, and why."""

    code = serializers.CharField()
    name = serializers.CharField()
    problem = serializers.CharField(help_text="no_answer, throttled, left_alone, no_keys, keys_refused, too_many, …")


class LookUpSerializer(serializers.Serializer[Any]):
    """How far Vipps has been asked. `orders` may come before the end; what is found is indexed like any other order."""

    id = serializers.CharField()
    reference = serializers.CharField()
    status = serializers.ChoiceField(
        choices=["asking", "found", "unplaced", "not_found", "incomplete"],
        help_text=(
            "asking until the end; unplaced: Vipps has it and headquarters must say which store sold it; incomplete: not "
            "found, and not all could be asked"
        ),
    )
    stores_asked = serializers.IntegerField()
    stores = serializers.IntegerField()
    not_asked = NotAskedSerializer(many=True)
    orders = OrderSerializer(many=True)


class OrderLineSerializer(serializers.Serializer[Any]):
    """One line, as the till sent it."""

    number = serializers.IntegerField()
    name = serializers.CharField()
    sku = serializers.CharField()
    quantity = serializers.DecimalField(max_digits=12, decimal_places=3)
    amount_minor = serializers.IntegerField()


class OrderDetailSerializer(OrderSerializer):
    """One payment with its lines, and whose facts they are: claimed by the store, confirmed by Vipps."""

    claimed_minor = serializers.IntegerField(allow_null=True, help_text="null where no store has told of it")
    captured_minor = serializers.IntegerField(allow_null=True, help_text="null while Vipps has shown no capture")
    paid_at_from = serializers.SerializerMethodField(help_text="whose time `paid_at` is, the store's or Vipps'")
    claimed_paid_at = UtcField(allow_null=True, help_text="when the store said it was paid, where `paid_at` is Vipps'")
    lines = OrderLineSerializer(many=True)

    @extend_schema_field(serializers.ChoiceField(choices=["store", "vipps"]))
    def get_paid_at_from(self, order: Order) -> str:
        return "store" if order.paid_at_from == PaidAtFrom.CLAIMED else "vipps"


class OrderPageSerializer(serializers.Serializer[Any]):
    """A page of orders. `next_cursor` is empty on the last one; `hint` says what would find more."""

    orders = OrderSerializer(many=True)
    next_cursor = serializers.CharField(allow_blank=True)
    hint = serializers.CharField(allow_blank=True)


class OrderQuerySerializer(StrictSerializer):
    """Either a search of the whole chain, or the changes of one's own store: not both in one call."""

    q = serializers.CharField(
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        max_length=LONGEST_PAYLOAD,
        help_text="reference, or a part of it",
    )
    store = serializers.RegexField(r"^[A-Z0-9]{2,20}$", required=False, help_text="search: the code of the store that sold")
    amount_minor = serializers.IntegerField(required=False, min_value=1, help_text="search: the whole amount, minor units")
    day = serializers.DateField(required=False, help_text="search: the day of the payment in the store's time zone")
    updated_since = UtcField(required=False, help_text="changes: RFC 3339, inclusive")
    cursor = serializers.CharField(required=False, allow_blank=True, max_length=200)
    limit = serializers.IntegerField(required=False, min_value=1, default=20, help_text="at most 100; more counts as 100")

    _SEARCH = ("q", "store", "amount_minor", "day")

    @property
    def is_search(self) -> bool:
        return any(name in self.validated_data for name in self._SEARCH)

    def validate_limit(self, limit: int) -> int:
        return min(limit, LARGEST_PAGE)

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        if "updated_since" in asked and any(name in asked for name in self._SEARCH):
            raise serializers.ValidationError(
                {"updated_since": [_("A search and a list of changes are two calls.")]}, code="invalid"
            )
        return asked


class SyncStreamSerializer(StrictSerializer):
    """Which of a system's streams; most systems have one and need no name for it."""

    sync_stream = serializers.RegexField(
        r"^[A-Za-z0-9._-]{0,40}$", required=False, allow_blank=True, default="",
        help_text="a name of the system's own for one stream of its syncs, where it has several",
    )  # fmt: skip


class SyncQuerySerializer(SyncStreamSerializer):
    """Where a batch stands in the system's own order of things."""

    sync_cursor = serializers.CharField(
        required=False, max_length=200, help_text="opaque to the hub: kept with this batch, read back at /orders/sync-position"
    )
    sync_after = serializers.CharField(
        required=False, allow_blank=True, max_length=200,
        help_text="the cursor that stood before; empty for none yet. Where another stands, nothing is indexed (409)",
    )  # fmt: skip

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        if "sync_cursor" not in asked and (asked["sync_stream"] or "sync_after" in asked):
            raise serializers.ValidationError({"sync_cursor": [_("Say where this batch stands.")]}, code="required")
        return asked


class SyncPositionSerializer(serializers.Serializer[Any]):
    """How far a stream has come. `synced_at` is null and `sync_cursor` empty where nothing came yet."""

    sync_stream = serializers.CharField(source="stream", allow_blank=True)
    sync_cursor = serializers.CharField(source="cursor", allow_blank=True)
    rows = serializers.IntegerField(help_text="how many rows the last batch had")
    synced_at = serializers.SerializerMethodField()

    @extend_schema_field(UtcField(allow_null=True))
    def get_synced_at(self, position: SyncPosition) -> Any:
        return UtcField().to_representation(position.synced_at) if position.pk else None


class LineBodySerializer(StrictSerializer):
    """One line of what was bought; `amount_minor` is the whole line's, negative for a discount."""

    name = serializers.CharField(max_length=200)
    quantity = serializers.RegexField(r"^-?[0-9]{1,9}(\.[0-9]{1,3})?$", help_text="decimal string; an integer is taken too")
    amount_minor = serializers.IntegerField(min_value=-65_000_000, max_value=65_000_000)
    sku = serializers.CharField(max_length=80, required=False, allow_blank=True)


class OrderBodySerializer(StrictSerializer):
    """One payment of the calling store. `channel` is needed only where the store has several sales units."""

    reference = serializers.RegexField(r"^[A-Za-z0-9-]{1,64}$")
    amount = AmountSerializer()
    paid_at = UtcField()
    channel = serializers.ChoiceField(choices=Channel.choices, required=False, allow_null=True)
    receipt_number = serializers.CharField(max_length=40, required=False, allow_blank=True)
    lines = serializers.ListField(child=LineBodySerializer(), required=False, max_length=500)


class SyncBodySerializer(StrictSerializer):
    """1 to 10,000 orders, 4 MiB at most."""

    orders = serializers.ListField(child=OrderBodySerializer(), min_length=1, max_length=10_000)


class SyncResultSerializer(serializers.Serializer[Any]):
    """What became of one row; `code`, `detail` and `field` say why nothing was changed."""

    index = serializers.IntegerField()
    reference = serializers.CharField()
    outcome = serializers.ChoiceField(choices=["created", "updated", "unchanged", "conflict", "refused"])
    order_id = serializers.CharField(allow_null=True)
    code = serializers.CharField(required=False)
    detail = serializers.CharField(required=False)
    field = serializers.CharField(required=False, allow_blank=True)


class SyncAnswerSerializer(serializers.Serializer[Any]):
    """An outcome for each row, in the rows' order, and how many of each."""

    results = SyncResultSerializer(many=True)
    counts = serializers.DictField(child=serializers.IntegerField())
