"""A TCP port of this machine that nobody listens on."""

import socket
from collections.abc import Callable

_TRIES = 100


def free_port(preferred: int, *, say: Callable[[str], None]) -> int:
    """Give `preferred`, or the next port after it that is free on 127.0.0.1; say so when it is another one."""
    for port in range(preferred, min(preferred + _TRIES, 65536)):
        if _is_free(port):
            if port != preferred:
                say(f"Port {preferred} is taken; using {port}.")
            return port
    raise OSError(f"No port from {preferred} on is free.")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # a connection that lingers in TIME_WAIT does not make a port taken, a listener does
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True
