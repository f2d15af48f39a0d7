"""How a started process shows that it is ready; each probe is given the process's log and answers yes or not yet."""

import http.client
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

Probe = Callable[[Path], bool]

_SECONDS = 5.0


def answers(url: str) -> Probe:
    """Ready when a GET of this plain-HTTP address answers 200."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None:
        raise ValueError(f"Not a plain-HTTP address: {url}")
    host, port, path = parts.hostname, parts.port or 80, parts.path or "/"

    def probe(_log: Path) -> bool:
        connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return probe


def writes(words: str) -> Probe:
    """Ready when the log holds these words."""

    def probe(log: Path) -> bool:
        return words in log.read_text(errors="replace")

    return probe


def at_once(_log: Path) -> bool:
    """Ready as soon as it is started."""
    return True
