"""What the trail can say about headquarters' own doings."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from stores.events import TrailEvent


@dataclass(frozen=True, kw_only=True)
class SignInLinkMade(TrailEvent):
    """Somebody was given the means to set another person's password."""

    name = "person.sign_in_link_made"
    sentence = _("A link to set a new password was made for {person}.")
    person: str


HQ_EVENTS: tuple[type[TrailEvent], ...] = (SignInLinkMade,)
