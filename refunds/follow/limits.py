"""Nobody looks more often than people with a paper in their hand would."""

import ipaddress

from django.conf import settings
from django.core.cache import cache

_WINDOW_SECONDS = 60


def looks_too_often(address: str) -> bool:
    """Count one look of this address (of an IPv6 one its /64); whether it was one too many within a minute.

    Counted before anything is looked up, so that the answer says nothing about the link.
    """
    key = f"follow-{_who(address)}"
    if cache.add(key, 1, _WINDOW_SECONDS):
        return False
    most: int = settings.FOLLOW_LOOKS_PER_MINUTE
    try:
        return int(cache.incr(key)) > most
    except ValueError:  # it ran out between the two
        return False


def _who(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network(f"{parsed}/64", strict=False)) if parsed.version == 6 else str(parsed)
