"""The door for releases: ask for one; it is then looked at where refunds are."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from refunds.api import documents
from refunds.api.serializers import ReleaseBodySerializer
from refunds.api.views import accepted_answer, request_key_of
from refunds.intake import client_of
from refunds.release_intake import request_release
from refunds.targets import order_meant
from stores.api.base import SystemView
from stores.api.parsing import StrictJsonParser
from stores.models import Scope


class ReleasesView(SystemView):
    """`/releases`."""

    required_scopes: ClassVar = {"POST": Scope.REFUNDS_WRITE}
    parser_classes = (StrictJsonParser,)

    @extend_schema(**documents.RELEASE_REQUEST)
    def post(self, request: Request) -> Response:
        request_key = request_key_of(request)
        body = ReleaseBodySerializer(data=request.data or {})
        body.is_valid(raise_exception=True)
        asked: dict[str, Any] = body.validated_data
        client_id = client_of(self.system, self.system.store)
        accepted = request_release(
            order_meant(asked, asker=self.system, client_id=client_id, request_key=request_key),
            reason=asked["reason"],
            reason_text=asked.get("reason_text", ""),
            refunding_store=self.system.store,
            client_id=client_id,
            request_key=request_key,
            asker=self.system,
            by=self.actor(cashier=asked["cashier"]),
        )
        return accepted_answer(accepted)
