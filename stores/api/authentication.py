"""Who calls: a store system, known by one of its API keys in the Authorization header (RFC 6750)."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from stores.keys import system_for
from stores.models import StoreSystem

_LONGEST_HEADER = 200


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer rhk_…`. No cookie and no session ever authenticates a REST call, so there is no CSRF."""

    def authenticate(self, request: Request) -> tuple[StoreSystem, None] | None:
        """The system, or None where no key was sent. One answer for unknown, revoked and expired keys."""
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        scheme, _space, key = header.partition(" ")
        system = system_for(key) if scheme.lower() == "bearer" and len(header) <= _LONGEST_HEADER else None
        if system is None:
            raise AuthenticationFailed(_("This API key is not valid."))
        return system, None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="refund-hub"'


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the library has no types
    """How the OpenAPI document names the key."""

    target_class = "stores.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "rhk_<16 characters>_<43 characters>"}
