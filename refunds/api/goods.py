"""Goods over REST: which lines go back in a refund, and how much of each line of an order still can."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from refunds.lines import LineLeft
from stores.api.fields import StrictInteger, StrictSerializer

MOST_LINES = 500
_QUANTITY = re.compile(r"[0-9]{1,9}(\.[0-9]{1,3})?", re.ASCII)
_SHAPE = {"type": "string", "pattern": r"^[0-9]{1,9}(\.[0-9]{1,3})?$", "description": "an integer is taken too"}


@extend_schema_field(_SHAPE)
class QuantityField(serializers.Field[Decimal, Any, str, Decimal]):
    """How many, or how much: a decimal string of at most three places, or an integer; never a JSON decimal."""

    def to_internal_value(self, data: Any) -> Decimal:
        if type(data) not in (int, str) or not _QUANTITY.fullmatch(str(data)) or not Decimal(data):
            raise serializers.ValidationError(
                _("A quantity is a whole number or a decimal string with at most three places, and more than none."),
                code="invalid_quantity",
            )
        return Decimal(data)

    def to_representation(self, value: Decimal) -> str:
        return f"{value.normalize():f}"


class GoodsSerializer(StrictSerializer):
    """So many of one line of the order, by the number that the order gives it."""

    number = StrictInteger(min_value=1, max_value=MOST_LINES)
    quantity = QuantityField()


class GoodsListField(serializers.ListField):
    """Each line at most once."""

    child = GoodsSerializer()

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MOST_LINES, **options)

    def to_internal_value(self, data: Any) -> Any:
        goods = super().to_internal_value(data)
        wanted = {line["number"]: line["quantity"] for line in goods}
        if len(wanted) < len(goods):
            raise serializers.ValidationError(_("Name each line once, with all that goes back of it."), code="line_twice")
        return wanted


class RefundLineSerializer(serializers.Serializer[Any]):
    """So many of one line that this refund is for."""

    number = serializers.IntegerField(source="line.number")
    name = serializers.CharField(source="line.name")
    quantity = QuantityField()


class LineLeftSerializer(serializers.Serializer[Any]):
    """One line of the order: how much was sold and how much can still go back; minor units of the order's currency."""

    number = serializers.IntegerField(source="line.number")
    name = serializers.CharField(source="line.name")
    sku = serializers.CharField(source="line.sku")
    quantity = QuantityField(source="line.quantity")
    amount_minor = serializers.IntegerField(source="line.amount_minor")
    returned_quantity = QuantityField(source="returned", help_text="being returned now in any store counts as well")
    left_quantity = QuantityField(source="left")
    left_minor = serializers.SerializerMethodField(
        help_text="what that comes to, its part of the discounts off; never more than is left of the order"
    )

    def get_left_minor(self, line: LineLeft) -> int:
        return min(int(self.context["left_minor"]), line.comes_to_minor(line.left))


def shown_lines(lines: Sequence[LineLeft], *, left_minor: int) -> list[dict[str, Any]]:
    """Every line as `refundable` shows it."""
    return [dict(line) for line in LineLeftSerializer(lines, many=True, context={"left_minor": left_minor}).data]
