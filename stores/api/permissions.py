"""What a store system may call: nothing, unless the view names the scope for that method."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from stores.models import Scope, StoreSystem

if TYPE_CHECKING:  # REST framework reads its settings, and with them this class, while its views are being imported
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """The caller is a store system that holds `view.required_scopes[method]`; a view without the line is closed."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.user, StoreSystem):
            return False
        method = request.method or ""
        if method.lower() not in view.http_method_names or not hasattr(view, method.lower()):
            raise MethodNotAllowed(method)
        scopes: Mapping[str, Scope] = getattr(view, "required_scopes", {})
        needed = scopes.get("GET" if method == "HEAD" else method)
        return needed is not None and needed in request.user.scopes
