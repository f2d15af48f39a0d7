"""What Vipps does not document, as switches: a hub has to be right whichever way each of them stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints


@dataclass(kw_only=True, slots=True)
class Switches:
    """The defaults are the behaviour that the sources make most likely. They may be changed while the simulator runs."""

    # In "test" partner keys, Report and Management do not work and a token lives one hour instead of 24.
    environment: Literal["production", "test"] = "production"

    # Idempotency keys.
    # A repeated call with its key: the answer as it was then, or as things stand now.
    replay: Literal["stored", "fresh"] = "stored"
    # How far a key reaches: one operation of one payment, one payment, or the whole sales unit.
    key_scope: Literal["operation", "payment", "sales_unit"] = "operation"
    sticky_refusals: bool = True
    # Hours of the simulator's clock after which a key is forgotten; None: never.
    key_retention_hours: float | None = None

    # Answers.
    answer_amount: Literal["original", "modification"] = "original"
    # Seconds by which the sums in answers stay behind the event log.
    aggregate_lag: float = 0.0
    # HTTP status by ErrorCode ("5090"), by class of codes ("5xxx") or by eCom's group and code ("Payment/71").
    statuses: Mapping[str, int] = field(default_factory=dict)
    # Of ePayment's 200 to cancel, capture and refund; the OpenAPI description says problem+json.
    modification_content_type: Literal["application/json", "application/problem+json"] = "application/json"
    gateway_shape: Literal["status_message", "response_info", "error_info", "error", "texts", "html"] = "status_message"

    # Rate limits.
    rate_limits: bool = True
    retry_after: bool = False
    limit_window: Literal["sliding", "fixed"] = "sliding"
    limit_counts_refused: bool = False
    # Of one client id; Vipps warns of a limit but does not name it.
    tokens_per_minute: int | None = None

    # Refunds.
    refund_days_from: Literal["authorization", "capture"] = "authorization"
    # What a merchant's balance has to do with it: it may go negative, or the refund is refused (5100, Payment 74).
    merchant_balance: Literal["may_go_negative", "must_cover"] = "may_go_negative"
    # Whether a refund answered with 200 can still fail, `failure_delay` seconds later.
    accepted_refunds: Literal["stand", "fail_later"] = "stand"
    failure_delay: float = 60.0
    # Test environment only: amounts 123 and 124 fail in the answer, or only in the event.
    refund_test_amounts: Literal["answer", "event"] = "answer"
    # ePayment's smallest refund, in minor units; eCom's is 100.
    minimum_refund: int = 1
    # What an eCom refund without an amount means.
    missing_refund_amount: Literal["refused", "everything"] = "refused"
    # Seconds after the last capture in which a refund is told that the payment is busy.
    refund_wait: float = 0.0

    # eCom payments.
    short_ids_in_epayment: Literal["refused", "not_found", "shown"] = "refused"
    direct_capture_in_epayment: Literal["shown", "not_found"] = "shown"
    ecom_is_shut: bool = False

    # Webhooks.
    webhooks_per_event: int = 25
    secrets_look_like: Literal["guid", "base64"] = "base64"
    webhook_redirect_fails: bool = True

    # Other APIs.
    # Seconds until an entry shows up in a report.
    report_lag: float = 0.0
    report_not_ready: Literal["try_later", "not_found"] = "try_later"
    payout_entry: Literal["payout-scheduled", "scheduled-for-payout"] = "payout-scheduled"
    order_management_in_test: bool = True
    special_tokens_for_management: bool = True
    msn_in_lists: Literal["text", "number"] = "text"

    @property
    def token_seconds(self) -> int:
        return 3600 if self.environment == "test" else 86_400

    def change(self, changes: Mapping[str, Any]) -> None:
        """Some of them, by name; all or none. Raises ValueError for an unknown name or a value that cannot be."""
        checked = {name: _checked(name, value) for name, value in changes.items()}
        for name, value in checked.items():
            setattr(self, name, value)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def _checked(name: str, value: Any) -> Any:
    if name not in _TYPES:
        raise ValueError(f"there is no switch {name}; there are {', '.join(sorted(_TYPES))}")
    told = _TYPES[name]
    if get_origin(told) is Literal:
        choices = get_args(told)
        if value not in choices:
            raise ValueError(f"{name} is one of {', '.join(choices)}")
        return value
    kinds = _KINDS.get(told, ())
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise ValueError(f"{name} cannot be {value!r}")
    if isinstance(value, dict) and not all(type(status) is int and 400 <= status <= 599 for status in value.values()):
        raise ValueError(f"{name} holds HTTP statuses from 400 to 599 by code")
    if isinstance(value, int | float) and not isinstance(value, bool) and value < 0:
        raise ValueError(f"{name} cannot be negative")
    return value


_KINDS: dict[Any, tuple[type, ...]] = {
    bool: (bool,),
    int: (int,),
    float: (int, float),
    float | None: (int, float, type(None)),
    int | None: (int, type(None)),
    Mapping[str, int]: (dict,),
}
_TYPES = {each.name: get_type_hints(Switches)[each.name] for each in fields(Switches)}
