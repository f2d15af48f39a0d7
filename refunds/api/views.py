"""The door for refunds: ask for one, look at one, list them, and see what is left of an order."""

from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from refunds import queries, rulebooks
from refunds.api import documents
from refunds.api.asking import ask
from refunds.api.listing import refunds_page
from refunds.api.serializers import (
    KEY,
    ReasonsSerializer,
    RefundableSerializer,
    RefundBodySerializer,
    RefundQuerySerializer,
    RefundSerializer,
)
from refunds.intake import Accepted
from refunds.models import Refund
from stores import clock
from stores.api.base import SystemView
from stores.api.ids import ORDER, REFUND, read_id, shown_id
from stores.api.parsing import StrictJsonParser
from stores.errors import Invalid, NotFound
from stores.models import Scope
from stores.orders import open_order

RETRY_AFTER_SECONDS = 2


class RefundsView(SystemView):
    """`/refunds`."""

    required_scopes: ClassVar = {"GET": Scope.REFUNDS_READ, "POST": Scope.REFUNDS_WRITE}
    parser_classes = (StrictJsonParser,)

    @extend_schema(**documents.REFUND_LIST)
    def get(self, request: Request) -> Response:
        asked = RefundQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return Response(refunds_page(self.system, asked.validated_data))

    @extend_schema(**documents.REFUND_REQUEST)
    def post(self, request: Request) -> Response:
        request_key = request_key_of(request)
        body = RefundBodySerializer(data=request.data or {})
        body.is_valid(raise_exception=True)
        asked: dict[str, Any] = body.validated_data
        by = self.actor(cashier=asked["cashier"])
        accepted = ask(asked, request_key=request_key, system=self.system, by=by)
        return accepted_answer(accepted)


class RefundView(SystemView):
    """`/refunds/{id}`."""

    required_scopes: ClassVar = {"GET": Scope.REFUNDS_READ}

    @extend_schema(**documents.REFUND_OPEN)
    def get(self, request: Request, refund_id: str) -> Response:
        return _shown(queries.refund_for(self.system, read_id(REFUND, refund_id)))


class RefundByKeyView(SystemView):
    """`/refunds/by-key/{key}`: what became of a request whose answer was lost."""

    required_scopes: ClassVar = {"GET": Scope.REFUNDS_READ}

    @extend_schema(**documents.REFUND_BY_KEY)
    def get(self, request: Request, key: str) -> Response:
        if not KEY.fullmatch(key):
            raise NotFound(_("There is no refund under this key."))
        return _shown(queries.refund_by_key(self.system, key))


class RefundableView(SystemView):
    """`/orders/{id}/refundable`."""

    required_scopes: ClassVar = {"GET": Scope.ORDERS_READ}

    @extend_schema(**documents.REFUNDABLE)
    def get(self, request: Request, order_id: str) -> Response:
        order = open_order(self.system, read_id(ORDER, order_id), store=self.system.store, by=self.actor())
        return Response(RefundableSerializer(queries.left_of(order), context={"order": order}).data)


class ReasonsView(SystemView):
    """`/reasons`."""

    required_scopes: ClassVar = {"GET": Scope.REFUNDS_WRITE}

    @extend_schema(**documents.REASONS)
    def get(self, request: Request) -> Response:
        book = rulebooks.in_force(self.system.store.company_id, now=clock.db_now())
        return Response(ReasonsSerializer({"policy": book.number, "reasons": book.reasons}).data)


class UnknownView(SystemView):
    """Every other address under /api/v1/: the same problem as an absent thing, not a page in HTML."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(exclude=True)
    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        self.http_method_names = []
        return super().dispatch(request, *args, **kwargs)

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        raise NotFound(_("There is nothing here."))


def request_key_of(request: Request) -> str:
    """The call's Idempotency-Key. Raises Invalid."""
    key: str = request.headers.get("Idempotency-Key", "")
    if not key:
        raise Invalid(
            _("Send an Idempotency-Key: made once for this return, and the same for every retry."),
            code="idempotency_key_required",
            field="Idempotency-Key",
        )
    if not KEY.fullmatch(key):
        raise Invalid(
            _("An Idempotency-Key is 1 to 100 visible ASCII characters."), code="invalid_key", field="Idempotency-Key"
        )
    return key


def accepted_answer(accepted: Accepted) -> Response:
    """202 while there is something to wait for; a repeated request of a refund that has ended is answered with 200."""
    refund = accepted.refund
    response = _shown(refund, status=200 if refund.has_ended else 202)
    response["Location"] = reverse("api-refund", args=[shown_id(REFUND, refund.pk)])
    if not accepted.is_new:
        response["Idempotency-Replayed"] = "true"
    return response


def _shown(refund: Refund, *, status: int = 200) -> Response:
    response = Response(RefundSerializer(refund).data, status=status)
    if not refund.has_ended:
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
