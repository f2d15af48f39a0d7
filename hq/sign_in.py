"""One sign-in flow for desk and headquarters: allauth's adapters, what the trail hears of it, and where one lands."""

from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.signals import password_changed, password_reset, user_logged_in
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from stores import access, audit, people, pins
from stores.actors import Actor, ActorKind
from stores.events import SignedIn, SignInRefused
from stores.models import Company, User

log = structlog.get_logger(__name__)

DESK = "/desk/"


def landing_of(user: AbstractBaseUser | AnonymousUser) -> str:
    """Where a person works: at the desk who holds a role in an open store, else at headquarters who has one there."""
    if not isinstance(user, User):
        return reverse("account_login")
    if not access.stores_of(user).exists() and access.may(user, access.Right.SEE_HQ):
        return reverse("admin:index")
    return DESK


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The front door sends each to her own page."""
    return redirect(landing_of(request.user))


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs herself up; a refused sign-in is in the trail; re-proving asks for the second factor first."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return landing_of(request.user)

    def get_reauthentication_methods(self, user: AbstractBaseUser | AnonymousUser) -> list[dict[str, Any]]:
        """A password proves less than the second factor, so it is offered last to those who have one."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return sorted(methods, key=lambda method: not method["id"].startswith("mfa_"))

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Only a known name is recorded: people type passwords into the wrong field, and a trail forgets nothing."""
        user = User.objects.filter(username=credentials.get("username", "")).first()
        company = _company_of(user) if user else None
        log.info("sign_in_refused", is_known=user is not None)
        if user and company:
            with transaction.atomic():
                audit.record(
                    SignInRefused(login=user.username),
                    by=Actor(kind=ActorKind.HUB, name="sign-in", address=self.get_client_ip(request)),
                    company=company,
                    store=None,
                    about=_about(user),
                )


class SecondFactorAdapter(DefaultMFAAdapter):
    """Sign-in seeds lie sealed: allauth itself would store them in the clear."""

    def encrypt(self, text: str) -> str:
        return people.seal_sign_in(text)

    def decrypt(self, encrypted_text: str) -> str:
        return people.unseal_sign_in(encrypted_text)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Headquarters cannot work without a second factor, so its people cannot take theirs away."""
        return not access.may(authenticator.user, access.Right.SEE_HQ)


@receiver(user_logged_in)
def record_sign_in(*, request: HttpRequest, user: User, **_facts: object) -> None:
    """Every completed sign-in is in headquarters' chain."""
    company = _company_of(user)
    if company is None:
        return
    address = AccountAdapter(request).get_client_ip(request)
    with transaction.atomic():
        audit.record(
            SignedIn(person=str(user)),
            by=access.actor_for(user, address=address),
            company=company,
            store=None,
            about=_about(user),
        )


@receiver([password_changed, password_reset])
def end_her_pin(*, request: HttpRequest, user: User, **_facts: object) -> None:
    """Whoever sets a new password may have lost more than that: at tills she chooses a new PIN, too."""
    company = _company_of(user)
    if company is not None and pins.may_prove(user):
        by = access.actor_for(user, address=AccountAdapter(request).get_client_ip(request))
        pins.end(user, company=company, reason="a new password was set", by=by)


def _company_of(user: User) -> Company | None:
    """Read from memberships past and present: somebody who has left is refused, and that too is worth an entry."""
    return Company.objects.filter(memberships__user=user).order_by("-memberships__since").first()


def _about(user: User) -> audit.Subject:
    return audit.Subject(type="person", id=str(user.public_id))
