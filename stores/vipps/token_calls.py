"""The two ways to ask for an access token; the kind of keys decides which one it is.

Source: Vipps Access Token API: standard authentication (sales unit and partner keys), specialized authentication
(accounting keys, which have no subscription key: one that is sent is answered with `invalid_client`).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from stores.vipps.exchange import Request
from stores.vipps.types import AccountingCredentials, Credentials

AnyCredentials = Credentials | AccountingCredentials


def subscription_headers(credentials: AnyCredentials) -> dict[str, str]:
    """What goes with every call besides the token."""
    if isinstance(credentials, AccountingCredentials):
        return {}
    return {"Ocp-Apim-Subscription-Key": credentials.subscription_key}


def token_request(credentials: AnyCredentials, *, base_url: str, headers: Mapping[str, str]) -> Request:
    """`headers` are those that every call of the session carries."""
    if isinstance(credentials, AccountingCredentials):
        pair = f"{credentials.client_id}:{credentials.client_secret}".encode()
        return Request(
            operation="token",
            method="POST",
            base_url=base_url,
            path="/miami/v1/token",
            headers={
                **headers,
                "Authorization": f"Basic {base64.b64encode(pair).decode()}",
                "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
                "Accept": "application/json",
            },
            body=b"grant_type=client_credentials",
        )
    return Request(
        operation="token",
        method="POST",
        base_url=base_url,
        path="/accesstoken/get",
        headers={
            **headers,
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
            "Accept": "application/json",
        },
        body=b"",
    )
