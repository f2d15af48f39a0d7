"""Signing in to headquarters in tests: with a proven second factor, without a proof, or without any."""

import time

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.http import HttpRequest
from django.test import Client

from stores.models import User

SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def signed_in(user: User) -> Client:
    """Password only."""
    client = Client()
    client.force_login(user)
    return client


def at_headquarters(user: User, *, seconds_ago: int = 0) -> Client:
    """With a second factor, proven in this session that many seconds ago."""
    if not Authenticator.objects.filter(user=user).exists():
        TOTP.activate(user, SEED)
    client = signed_in(user)
    prove(client, user, seconds_ago=seconds_ago)
    return client


def prove(client: Client, user: User, *, seconds_ago: int = 0) -> None:
    """As allauth notes it when the code was right."""
    session = client.session
    request = HttpRequest()
    request.session = session
    record_authentication(request, user, "mfa", type="totp")
    for record in session["account_authentication_methods"]:
        record["at"] = time.time() - seconds_ago
    session.save()
