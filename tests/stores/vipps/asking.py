"""Ways to ask the simulator that the tests of its rules share."""

from collections.abc import Mapping
from typing import Any

import pytest

from stores.vipps.errors import Misconfigured, Refused, VippsError
from stores.vipps.exchange import Response
from tests.stores.vipps.world import BERGEN, World

RESERVED = "bergen-reserved"
PATH = "/epayment/v1/payments"


def refused(call: object) -> str | None:
    """The code with which the call was refused."""
    assert callable(call)
    with pytest.raises((Refused, Misconfigured)) as caught:
        call()
    return caught.value.code


def raw(world: World, path: str, body: Mapping[str, Any], *, key: str | None = "k") -> Response | VippsError:
    """A call with any body, past the client's own checks."""
    try:
        return world.session(BERGEN).call("raw", "POST", path, body=body, idempotency_key=key)
    except VippsError as error:
        return error


def create(
    world: World, reference: str, changes: Mapping[str, Any] | None = None, *, key: str | None = None
) -> Response | VippsError:
    body = {
        "amount": {"currency": "NOK", "value": 500},
        "paymentMethod": {"type": "WALLET"},
        "reference": reference,
        "userFlow": "QR",
        "customerInteraction": "CUSTOMER_PRESENT",
        **(changes or {}),
    }
    return raw(world, PATH, body, key=key or f"key-{reference}")
