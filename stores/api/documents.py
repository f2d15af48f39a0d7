"""What the OpenAPI document says of each operation: its answers, and every error with the problem's shape."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from stores.api.problems import CONTENT_TYPE
from stores.api.serializers import (
    LookUpBodySerializer,
    LookUpSerializer,
    OrderBodySerializer,
    OrderDetailSerializer,
    OrderPageSerializer,
    OrderQuerySerializer,
    SyncAnswerSerializer,
    SyncBodySerializer,
    SyncPositionSerializer,
    SyncQuerySerializer,
    SyncStreamSerializer,
)

_MEANINGS = {
    400: "The input is wrong; `errors` names the fields. Nothing was written.",
    401: "No API key, or one that is not valid (any more).",
    403: "The key's scopes do not allow this.",
    404: "Absent, or not this caller's to see: the answer is the same.",
    405: "There is no such method here.",
    406: "Only application/json is served.",
    409: "The present state does not allow this; `code` says why.",
    411: "The body came in chunks, without its Content-Length.",
    413: "The body is too large, as it came or inflated.",
    415: "The body is not of a type, charset or encoding that this door takes.",
    422: "The idempotency key was used before with another body.",
    429: "Too many calls; come back after Retry-After seconds.",
    500: "The hub failed; send the same request again.",
    503: "The hub cannot answer right now; send the same request again.",
}
_EVERYWHERE = (400, 401, 403, 405, 406, 429, 500, 503)


class FieldErrorSerializer(serializers.Serializer[Any]):
    """What is wrong with one field, by its path."""

    field = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457. `code` is stable; `detail` is a sentence for a person; `facts` has the numbers behind it."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    trace_id = serializers.CharField()
    retryable = serializers.BooleanField()
    errors = FieldErrorSerializer(many=True)  # type: ignore[assignment]  # fields are taken off the class
    facts = serializers.DictField(required=False)


def problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """The errors that every operation has, and these."""
    return {
        (status, CONTENT_TYPE): OpenApiResponse(ProblemSerializer, description=_MEANINGS[status])
        for status in sorted({*_EVERYWHERE, *statuses})
    }


ORDER_SYNC: dict[str, Any] = {
    "operation_id": "syncOrders",
    "summary": "Sync orders",
    "description": (
        "Tell the hub what the store sold; sending the same again changes nothing. Each row has an outcome of its own: a "
        "wrong row does not hurt the others. A row that says something else than the hub knows is a conflict, changes "
        "nothing, and is shown to headquarters. Of a name that an object repeats, the last value counts.\n\n"
        "1 to 10,000 orders and 4 MiB, as one JSON object or as NDJSON with one order a line (`index` is then the line's, "
        "from 0). `Content-Encoding: gzip` is taken; the bounds hold for what is inflated too. References are kept as they "
        "are: two that differ in case or in leading zeros are two orders.\n\n"
        "A batch may carry `sync_cursor`, which is kept in the same transaction, whatever became of the rows, and given back "
        "at `/orders/sync-position`: so a system that died knows where to go on. To send the last batch again is always safe."
    ),
    "tags": ["orders"],
    "parameters": [SyncQuerySerializer],
    "request": {"application/json": SyncBodySerializer, "application/x-ndjson": OrderBodySerializer},
    "responses": {200: SyncAnswerSerializer, **problems(409, 411, 413, 415)},
}
SYNC_POSITION: dict[str, Any] = {
    "operation_id": "getSyncPosition",
    "summary": "Read how far the own sync has come",
    "description": "For a system that has lost its memory: the cursor of the last batch that was indexed.",
    "tags": ["orders"],
    "parameters": [SyncStreamSerializer],
    "responses": {200: SyncPositionSerializer, **problems()},
}
ORDER_LIST: dict[str, Any] = {
    "operation_id": "listOrders",
    "summary": "Search the chain's orders, or list the changes of one's own store",
    "description": (
        "With q, store, amount_minor or day: a search of the whole chain, best and newest first. Without: the store's own "
        "orders, oldest change first; to follow changes, start again from a little before the last `updated_at` seen."
    ),
    "tags": ["orders"],
    "parameters": [OrderQuerySerializer],
    "responses": {200: OrderPageSerializer, **problems(404)},
}
ORDER_OPEN: dict[str, Any] = {
    "operation_id": "getOrder",
    "summary": "Open one order",
    "description": "Opening an order that another store sold is noted in that store's trail.",
    "tags": ["orders"],
    "responses": {200: OrderDetailSerializer, **problems(404)},
}
LOOK_UP_ASK: dict[str, Any] = {
    "operation_id": "askVipps",
    "summary": "Ask Vipps for an order that the hub does not know",
    "description": (
        "For a reference that no search finds: every store that could have sold it is asked at Vipps, side by side, within "
        "seconds. 202: ask again at Location. For whole references only, a handful a minute, and recorded; whether anybody "
        "outside the chain has such a payment is neither asked nor told. Codes of 400: not_a_whole_reference, "
        "no_store_could_have_sold."
    ),
    "tags": ["orders"],
    "request": {"application/json": LookUpBodySerializer},
    "parameters": [
        OpenApiParameter("Location", OpenApiTypes.STR, OpenApiParameter.HEADER, response=[202], description="where it stands"),
        OpenApiParameter(
            "Retry-After", OpenApiTypes.STR, OpenApiParameter.HEADER, response=[202], description="seconds until asking again"
        ),
    ],
    "responses": {202: LookUpSerializer, **problems(404, 411, 413, 415)},
}
LOOK_UP_OPEN: dict[str, Any] = {
    "operation_id": "getLookUp",
    "summary": "See what Vipps has said",
    "description": "The caller's own questions only.",
    "tags": ["orders"],
    "parameters": [
        OpenApiParameter(
            "Retry-After",
            OpenApiTypes.STR,
            OpenApiParameter.HEADER,
            response=[200],
            description="seconds until asking again makes sense; absent at the end",
        )
    ],
    "responses": {200: LookUpSerializer, **problems(404)},
}
