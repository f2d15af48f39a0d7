"""What every REST view of the hub has: a store system that calls, and the actor it becomes in the trail."""

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from stores import access
from stores.actors import Actor
from stores.api.bodies import check_length
from stores.api.problems import request_id_of
from stores.errors import Forbidden
from stores.models import StoreSystem


class SystemView(APIView):
    """A view that only store systems reach; what it takes stands in the OpenAPI document, not behind OPTIONS."""

    http_method_names = ["get", "head", "post"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method == "POST":
            check_length(request)

    @property
    def system(self) -> StoreSystem:
        """The caller. Permissions have seen to it that there is one."""
        if not isinstance(self.request.user, StoreSystem):
            raise Forbidden("only store systems call this")
        return self.request.user

    def actor(self, *, cashier: str = "") -> Actor:
        """The caller as the trail names it; `cashier` is the till's own id of its cashier."""
        return access.actor_for(
            self.system,
            store=self.system.store,
            cashier=cashier,
            address=BaseThrottle().get_ident(self.request),
            request_id=request_id_of(self.request),
        )
