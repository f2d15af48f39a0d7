"""Where store systems hear of refunds."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from stores.events import TrailEvent


@dataclass(frozen=True, kw_only=True)
class EndpointAdded(TrailEvent):
    """From now on somebody outside hears of the store's refunds."""

    name = "webhook_endpoint.added"
    sentence = _("{system} is told of refunds at {url}.")
    system: str
    url: str


@dataclass(frozen=True, kw_only=True)
class EndpointEnded(TrailEvent):
    """Nothing more is sent there, not even what still waits."""

    name = "webhook_endpoint.ended"
    sentence = _("{system} is no longer told of refunds at {url}: {reason}")
    system: str
    url: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class DeliveryRequeued(TrailEvent):
    """A message that had been given up is tried again."""

    name = "delivery.requeued"
    sentence = _("The message {event} of refund {refund} is sent to {system} again.")
    event: str
    refund: str
    system: str
