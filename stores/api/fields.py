"""Fields that take what they say and nothing near it: no "100" for 100, no 1 for true, no unknown names."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any, NoReturn

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.fields import empty

from stores.money import CURRENCIES, MAX_MINOR


class StrictInteger(serializers.IntegerField):
    """A JSON integer; a decimal, a text or a boolean is refused."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictText(serializers.CharField):
    """A JSON string."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictBoolean(serializers.BooleanField):
    """JSON's true or false."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class UtcField(serializers.DateTimeField):
    """RFC 3339, shown in UTC; a time without an offset is read as UTC."""

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=UTC, **options)


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses a body with a field it does not know: a misspelt name must not be a silent default."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = [name for name in data if name not in self.fields] if isinstance(data, Mapping) else []
        if not unknown:
            return super().to_internal_value(data)
        errors: dict[str, Any] = {
            _shown(name): [serializers.ErrorDetail(str(_("There is no such field.")), code="unknown_field")] for name in unknown
        }
        try:
            super().to_internal_value(data)
        except serializers.ValidationError as error:
            errors = {**(error.detail if isinstance(error.detail, dict) else {}), **errors}
        raise serializers.ValidationError(errors)


class AmountMinorField(StrictInteger):
    """1 to 65 000 000 minor units; every other value is one error, invalid_amount."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_MINOR, **options)

    def run_validation(self, data: Any = empty) -> Any:
        try:
            return super().run_validation(data)
        except serializers.ValidationError as error:
            if data is empty:
                raise
            sentence = _("An amount is a whole number of minor units, 1 to 65 000 000.")
            raise serializers.ValidationError(sentence, code="invalid_amount") from error


class CurrencyField(serializers.ChoiceField):
    """One of the currencies that Vipps MobilePay settles in."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=CURRENCIES, **options)

    def fail(self, key: str, **names: Any) -> NoReturn:
        if key == "required":
            super().fail(key, **names)
        raise serializers.ValidationError(_("The currency is not one of Vipps MobilePay's."), code="wrong_currency")


class AmountSerializer(StrictSerializer):
    """An amount in minor units (øre, cent) of its currency; never a decimal."""

    amount_minor = AmountMinorField()
    currency = CurrencyField()


def _shown(name: object) -> str:
    return "".join(character for character in str(name)[:64] if character.isprintable())
