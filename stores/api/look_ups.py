"""The door for questions to Vipps: put one, and see what has come of it."""

from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from stores import access
from stores.api.base import SystemView
from stores.api.documents import LOOK_UP_ASK, LOOK_UP_OPEN
from stores.api.ids import LOOK_UP, read_id, shown_id
from stores.api.parsing import StrictJsonParser
from stores.api.serializers import LookUpBodySerializer, LookUpSerializer
from stores.discovery import questions
from stores.discovery.questions import Progress
from stores.errors import NotFound
from stores.models import Scope, Store, StoreSystem

RETRY_AFTER_SECONDS = 1


class LookUpsView(SystemView):
    """`/orders/look-ups`."""

    required_scopes: ClassVar = {"POST": Scope.ORDERS_READ}
    parser_classes = (StrictJsonParser,)
    http_method_names = ["post"]

    @extend_schema(**LOOK_UP_ASK)
    def post(self, request: Request) -> Response:
        body = LookUpBodySerializer(data=request.data or {})
        body.is_valid(raise_exception=True)
        asked: dict[str, Any] = body.validated_data
        question = questions.ask_vipps(
            asked["reference"],
            asker=self.system,
            from_store=self.system.store,
            store=_store_named(self.system, asked.get("store", "")),
            by=self.actor(),
        )
        answer = _answer(questions.progress_of(question), status=202)
        answer["Location"] = reverse("api-look-up", args=[shown_id(LOOK_UP, question.public_id)])
        return answer


class LookUpView(SystemView):
    """`/orders/look-ups/{id}`."""

    required_scopes: ClassVar = {"GET": Scope.ORDERS_READ}

    @extend_schema(**LOOK_UP_OPEN)
    def get(self, request: Request, look_up_id: str) -> Response:
        return _answer(questions.progress_for(self.system, read_id(LOOK_UP, look_up_id)), status=200)


def _answer(progress: Progress, *, status: int) -> Response:
    shown = {
        "id": shown_id(LOOK_UP, progress.question.public_id),
        "reference": progress.question.reference,
        "status": progress.standing.value,
        "stores_asked": progress.asked,
        "stores": progress.stores,
        "not_asked": [
            {"code": store.code, "name": store.name, "problem": each.problem}
            for each in progress.not_asked
            for store in each.stores
        ],
        "orders": progress.orders,
    }
    headers = {} if progress.is_ended else {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return Response(LookUpSerializer(shown).data, status=status, headers=headers)


def _store_named(system: StoreSystem, code: str) -> Store | None:
    """A store of the caller's chain, None where none was named. Raises NotFound."""
    if not code:
        return None
    store = Store.objects.filter(company=access.company_of(system), code=code).first()
    if store is None:
        raise NotFound(_("There is no such store."), field="store")
    return store
