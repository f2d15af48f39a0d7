"""What passes between the steps of the refund path cannot be changed on its way, and says what each value is."""

from dataclasses import FrozenInstanceError, fields

import pytest

from refunds import deciding, gateway, policy, states

STEPS: list[type] = [
    *(policy.Facts, policy.Allowed, policy.Refusal),
    states.Move,
    *(gateway.Consequence, gateway.Outcome),
    *(deciding.Sent, deciding.Standing, deciding.Books, deciding.Reading, deciding.Step),
]


@pytest.mark.parametrize("kind", STEPS)
def test_it_is_frozen_and_named_by_keyword(kind: type) -> None:
    assert all(field.kw_only for field in fields(kind))
    whatever = kind(**{field.name: None for field in fields(kind)})
    with pytest.raises(FrozenInstanceError):
        setattr(whatever, fields(kind)[0].name, "changed")
