"""PostgreSQL with no server installed: the wheel's own, kept under `var/` and reached over a Unix socket only.

By hand: `python -m hq.embedded start|status|stop|run`. A command that starts it (a migration, say) leaves it running.
"""

from hq.embedded.errors import EmbeddedError
from hq.embedded.places import data_folder
from hq.embedded.server import ensure_running, is_running, stop

__all__ = ["EmbeddedError", "data_folder", "ensure_running", "is_running", "stop"]
