"""The door for orders: sync many, list one's own, find in the whole chain, open one."""

import hashlib
from collections import Counter
from typing import ClassVar

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from stores.api.base import SystemView
from stores.api.documents import ORDER_LIST, ORDER_OPEN, ORDER_SYNC, SYNC_POSITION
from stores.api.ids import ORDER, read_id
from stores.api.listing import changed_orders, found_orders
from stores.api.parsing import LinesParser, SyncBody, SyncParser
from stores.api.serializers import (
    OrderDetailSerializer,
    OrderQuerySerializer,
    SyncPositionSerializer,
    SyncQuerySerializer,
    SyncStreamSerializer,
)
from stores.models import Scope
from stores.orders import Mark, RowOutcome, index_orders, open_order, position_of


class OrdersView(SystemView):
    """`/orders`."""

    required_scopes: ClassVar = {"GET": Scope.ORDERS_READ, "POST": Scope.ORDERS_WRITE}
    parser_classes = (SyncParser, LinesParser)

    @extend_schema(**ORDER_LIST)
    def get(self, request: Request) -> Response:
        asked = OrderQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        if asked.is_search:
            return Response(found_orders(self.system, asked.validated_data))
        return Response(changed_orders(self.system, asked.validated_data))

    @extend_schema(**ORDER_SYNC)
    def post(self, request: Request) -> HttpResponse:
        body = request.data if isinstance(request.data, SyncBody) else SyncBody()
        outcomes = index_orders(
            body.rows(),
            system=self.system,
            mark=_mark(request),
            digest=hashlib.sha256(body.content).hexdigest(),
            by=self.actor(),
        )
        counts = Counter(row.outcome for row in outcomes)
        answer = {"results": [_result(row) for row in outcomes], "counts": counts}
        # Ten thousand results: encoded at once, not through serializers.
        return HttpResponse(msgspec.json.encode(answer), content_type="application/json")


class SyncPositionView(SystemView):
    """`/orders/sync-position`."""

    required_scopes: ClassVar = {"GET": Scope.ORDERS_WRITE}

    @extend_schema(**SYNC_POSITION)
    def get(self, request: Request) -> Response:
        asked = SyncStreamSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return Response(SyncPositionSerializer(position_of(self.system, asked.validated_data["sync_stream"])).data)


class OrderView(SystemView):
    """`/orders/{id}`."""

    required_scopes: ClassVar = {"GET": Scope.ORDERS_READ}

    @extend_schema(**ORDER_OPEN)
    def get(self, request: Request, order_id: str) -> Response:
        order = open_order(self.system, read_id(ORDER, order_id), store=self.system.store, by=self.actor())
        return Response(OrderDetailSerializer(order).data)


def _mark(request: Request) -> Mark | None:
    if not request.query_params:
        return None
    # A plain dict: of a form's empty field REST framework thinks as of none.
    query = SyncQuerySerializer(data=request.query_params.dict())
    query.is_valid(raise_exception=True)
    asked = query.validated_data
    if "sync_cursor" not in asked:
        return None
    return Mark(cursor=asked["sync_cursor"], stream=asked["sync_stream"], after=asked.get("sync_after"))


class _Result(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An outcome as REST shows it; `code`, `detail` and `field` only where there is something to say."""

    index: int
    reference: str
    outcome: str
    order_id: str | None
    code: str = ""
    detail: str = ""
    field: str = ""


def _result(row: RowOutcome) -> _Result:
    order_id = f"{ORDER}_{row.order_id}" if row.order_id else None
    return _Result(row.index, row.reference, row.outcome, order_id, row.code, row.detail, row.field)
