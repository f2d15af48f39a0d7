"""What the OpenAPI document says of the operations on refunds."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from refunds.api.serializers import (
    BulkAnswerSerializer,
    BulkBodySerializer,
    ReasonsSerializer,
    RefundableSerializer,
    RefundBodySerializer,
    RefundPageSerializer,
    RefundQuerySerializer,
    RefundSerializer,
    ReleaseBodySerializer,
)
from stores.api.documents import problems

_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[\\x21-\\x7e]{1,100}$"},
    OpenApiParameter.HEADER,
    required=True,
    description="Made once for this return, and the same for every retry of it; it lives as long as the refund.",
)


def _header(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.STR, OpenApiParameter.HEADER, response=[200, 202], description=description)


_ASKED = [
    _KEY,
    _header("Location", "where the refund stands"),
    _header("Retry-After", "seconds until asking again makes sense; absent once the refund is final"),
    _header("Idempotency-Replayed", "true where the same request was answered before"),
]
REFUND_REQUEST: dict[str, Any] = {
    "operation_id": "requestRefund",
    "summary": "Ask for a refund",
    "description": (
        "Accepts a refund of an order that any store of the chain sold, on behalf of the store the API key belongs to. 202: "
        "it is written down and will be carried out; ask again at Location. The same key with the same body repeats the "
        "answer (Idempotency-Replayed: true); with another body it is refused (422, key_reused). Codes of 409: "
        "exceeds_left, nothing_left, on_hold, not_captured (release it instead), released, too_old, no_keys, "
        "ambiguous_order, possible_duplicate, disputed_capture, line_used_up, exceeds_lines."
    ),
    "tags": ["refunds"],
    "request": {"application/json": RefundBodySerializer},
    "parameters": _ASKED,
    "responses": {200: RefundSerializer, 202: RefundSerializer, **problems(404, 409, 411, 413, 415, 422)},
}
RELEASE_REQUEST: dict[str, Any] = {
    "operation_id": "requestRelease",
    "summary": "Ask for the release of a reservation",
    "description": (
        "For a payment that was reserved and never captured: all that is reserved is let go (cancelled at Vipps), and no money "
        "moves. It is carried out, kept and read like a refund, of kind release: under /refunds, with the same states but "
        "for its success, released, and in the same webhooks (refund.released). Possible once Vipps has shown the order as "
        "reserved (releasable_minor of /orders/{order_id}/refundable), which a refund refused as not_captured does. It may "
        "still end as declined with the outcome captured_meanwhile: then the money can be refunded. Codes of 409: "
        "not_reserved, captured, refund_in_flight, released, on_hold, paused, no_keys, ambiguous_order."
    ),
    "tags": ["refunds"],
    "request": {"application/json": ReleaseBodySerializer},
    "parameters": _ASKED,
    "responses": {200: RefundSerializer, 202: RefundSerializer, **problems(404, 409, 411, 413, 415, 422)},
}
REFUND_BULK: dict[str, Any] = {
    "operation_id": "requestRefunds",
    "summary": "Ask for many refunds",
    "description": (
        "1 to 100 wishes, 64 KiB at most, one after the other: each is accepted or refused by itself, under its own key, as a "
        "call of its own would have been, and the trail tells it the same way. After a lost answer, or a 500 or 503, send the "
        "same again: what was accepted is repeated, not made twice."
    ),
    "tags": ["refunds"],
    "request": {"application/json": BulkBodySerializer},
    "responses": {200: BulkAnswerSerializer, **problems(411, 413, 415)},
}
REFUND_LIST: dict[str, Any] = {
    "operation_id": "listRefunds",
    "summary": "List the refunds that this store made",
    "tags": ["refunds"],
    "parameters": [RefundQuerySerializer],
    "responses": {200: RefundPageSerializer, **problems(404)},
}
REFUND_OPEN: dict[str, Any] = {
    "operation_id": "getRefund",
    "summary": "Look at one refund",
    "tags": ["refunds"],
    "responses": {200: RefundSerializer, **problems(404)},
}
REFUND_BY_KEY: dict[str, Any] = {
    "operation_id": "getRefundByKey",
    "summary": "Look at the refund of an idempotency key",
    "description": "For a till whose answer was lost: 404 means that the request never arrived and may be sent again.",
    "tags": ["refunds"],
    "responses": {200: RefundSerializer, **problems(404)},
}
REFUNDABLE: dict[str, Any] = {
    "operation_id": "getRefundable",
    "summary": "What is left of an order",
    "tags": ["orders"],
    "responses": {200: RefundableSerializer, **problems(404)},
}
REASONS: dict[str, Any] = {
    "operation_id": "listReasons",
    "summary": "List the reasons that may be given",
    "description": "Headquarters sets them, with a date of effect: ask once a day, and again when a reason is refused.",
    "tags": ["refunds"],
    "responses": {200: ReasonsSerializer, **problems()},
}
