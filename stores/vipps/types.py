"""What Vipps tells us about payments, as values that cannot be changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Amount:
    """Money in minor units (øre, cent) of an ISO 4217 currency."""

    currency: str
    value: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Aggregate:
    """The four sums of a payment in minor units; the only thing that says what can still be done with it."""

    authorized: int
    cancelled: int
    captured: int
    refunded: int
    currency: str

    @property
    def capturable(self) -> int:
        return self.authorized - self.captured - self.cancelled

    @property
    def refundable(self) -> int:
        return self.captured - self.refunded


@dataclass(frozen=True, kw_only=True, slots=True)
class Payment:
    """The answer of "get payment". `state` stays AUTHORIZED for ever once the customer has paid."""

    reference: str
    psp_reference: str
    state: str
    amount: Amount
    aggregate: Aggregate
    metadata: Mapping[str, str]
    trace_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One entry of the event log. Only one with `success` moved money; `timestamp` is aware and in UTC."""

    reference: str
    psp_reference: str
    name: str
    amount: Amount
    timestamp: datetime
    idempotency_key: str | None
    success: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Modification:
    """The answer of capture, cancel and refund.

    `amount` may be the original payment's, so compare `aggregate`; it may lag behind the operation itself.
    """

    reference: str
    psp_reference: str
    state: str
    amount: Amount
    aggregate: Aggregate
    status: int = 200
    trace_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SystemHeaders:
    """The four Vipps-System headers, at most 30 characters each."""

    name: str
    version: str
    plugin_name: str
    plugin_version: str

    def __post_init__(self) -> None:
        for value in (self.name, self.version, self.plugin_name, self.plugin_version):
            if not 1 <= len(value) <= 30 or not value.isascii() or not value.isprintable():
                raise ValueError("each Vipps-System header is 1 to 30 printable ASCII characters")


def _check_keys(*values: str) -> None:
    for value in values:
        # A line break would smuggle a header; the value itself must not appear in the message.
        if not value or not value.isascii() or not value.isprintable():
            raise ValueError("a credential is empty or holds characters that no header can carry")


class Credentials:
    """One key set, opened. It shows itself to no one: no repr, no pickle, no copy, no JSON."""

    __slots__ = ("client_id", "client_secret", "subscription_key")

    def __init__(self, *, client_id: str, client_secret: str, subscription_key: str) -> None:
        _check_keys(client_id, client_secret, subscription_key)
        self.client_id = client_id
        self.client_secret = client_secret
        self.subscription_key = subscription_key

    def __repr__(self) -> str:
        return "Credentials(masked)"

    def __reduce_ex__(self, protocol: object) -> str:
        raise TypeError("credentials are not pickled or copied")


class AccountingCredentials:
    """Accounting keys, opened: they open the Report API and have no subscription key. As secretive as the others."""

    __slots__ = ("client_id", "client_secret")

    def __init__(self, *, client_id: str, client_secret: str) -> None:
        _check_keys(client_id, client_secret)
        if ":" in client_id:
            raise ValueError("a client id with a colon cannot be told from its secret (RFC 7617)")
        self.client_id = client_id
        self.client_secret = client_secret

    def __repr__(self) -> str:
        return "AccountingCredentials(masked)"

    def __reduce_ex__(self, protocol: object) -> str:
        raise TypeError("credentials are not pickled or copied")
