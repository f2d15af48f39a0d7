"""The door for many refunds in one call: each wish under a key of its own, with an outcome of its own."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ValidationError

from refunds.api import documents
from refunds.api.asking import ask
from refunds.api.serializers import BulkItemSerializer, BulkListSerializer, RefundSerializer
from stores.api.base import SystemView
from stores.api.parsing import StrictJsonParser
from stores.api.problems import problem_of_item
from stores.errors import HubError
from stores.models import Scope


class RefundsBulkView(SystemView):
    """`/refunds/bulk`: the wishes one after the other, each accepted whole or refused whole."""

    required_scopes: ClassVar = {"POST": Scope.REFUNDS_WRITE}
    parser_classes = (StrictJsonParser,)

    @extend_schema(**documents.REFUND_BULK)
    def post(self, request: Request) -> Response:
        body = BulkListSerializer(data=request.data or {})
        body.is_valid(raise_exception=True)
        wishes = body.validated_data["refunds"]
        return Response({"results": [{"index": index, **self._outcome(wish)} for index, wish in enumerate(wishes)]})

    def _outcome(self, wish: Any) -> dict[str, Any]:
        """What became of one wish; whatever is not a refusal (a database that is away) fails the call, to be repeated."""
        try:
            body = BulkItemSerializer(data=wish)
            body.is_valid(raise_exception=True)
            asked = body.validated_data
            by = self.actor(cashier=asked["cashier"])
            accepted = ask(asked, request_key=asked["idempotency_key"], system=self.system, by=by)
        except (HubError, ValidationError) as error:
            return {"outcome": "refused", "refund": None, "problem": problem_of_item(error, request=self.request)}
        outcome = "accepted" if accepted.is_new else "repeated"
        return {"outcome": outcome, "refund": RefundSerializer(accepted.refund).data, "problem": None}
