"""A link with which one person sets her password, once; the hub never makes a password up for anybody."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.http import HttpRequest
from django.urls import reverse

from stores.models import User


def sign_in_link(request: HttpRequest, user: User) -> str:
    """Good until it is used, the person signs in, or Django's PASSWORD_RESET_TIMEOUT has passed."""
    token = default_token_generator.make_token(user)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": token})
    return request.build_absolute_uri(path)
