"""Where the embedded PostgreSQL keeps its files, worked out from the project's folder alone."""

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

SYSTEM_FOLDER = Path("/var/lib/refund-hub")
PORT = 5432  # names the socket file only: no TCP port is ever opened
DATABASE = "refund_hub"
SUPERUSER = "postgres"

_LONGEST_SOCKET_PATH = 100  # bytes; sun_path holds 103 on macOS and 107 on Linux
_SOCKET_NAME = f".s.PGSQL.{PORT}"


@dataclass(frozen=True, kw_only=True)
class Places:
    """The files of one embedded PostgreSQL."""

    folder: Path
    socket_folder: Path

    @property
    def cluster(self) -> Path:
        """The database cluster itself (PGDATA)."""
        return self.folder / "cluster"

    @property
    def unfinished_cluster(self) -> Path:
        """A cluster that is being made; it becomes `cluster` by one rename, so a half-made one is never used."""
        return self.folder / "cluster.unfinished"

    @property
    def log(self) -> Path:
        """What PostgreSQL itself writes."""
        return self.folder / "postgres.log"

    @property
    def lock(self) -> Path:
        """Held while somebody starts or stops the server."""
        return self.folder / "lock"

    @property
    def socket(self) -> Path:
        """The Unix socket the server listens on."""
        return self.socket_folder / _SOCKET_NAME

    @property
    def url(self) -> str:
        """The address, as libpq and django-environ read it; the socket's folder stands in `?host=`."""
        return f"postgresql://{SUPERUSER}@:{PORT}/{DATABASE}?host={quote(str(self.socket_folder), safe='/')}"


def runs_as_root() -> bool:
    """Say whether this process is root, as whom PostgreSQL refuses to run."""
    return os.geteuid() == 0


def data_folder(base: Path, *, var: Path | None = None) -> Path:
    """Give the folder of the project at `base`: `var/postgres`, or one of the system's under root.

    `var` replaces `base / "var"`, for a hub whose VAR_DIR is set.
    """
    home = (var if var is not None else base / "var").resolve()
    if not runs_as_root():
        return home / "postgres"
    name = re.sub(r"[^A-Za-z0-9._-]", "_", base.resolve().name) or "hub"
    return SYSTEM_FOLDER / f"{name}-{_short_hash(home)}" / "postgres"


def places_of(base: Path, *, var: Path | None = None) -> Places:
    """Give every file of the embedded PostgreSQL of the project at `base`."""
    folder = data_folder(base, var=var)
    return Places(folder=folder, socket_folder=folder if _can_hold_socket(folder) else _short_socket_folder(folder))


def _can_hold_socket(folder: Path) -> bool:
    # libpq reads a comma in a host as the start of the next host
    return "," not in str(folder) and len(os.fsencode(folder / _SOCKET_NAME)) <= _LONGEST_SOCKET_PATH


def _short_socket_folder(folder: Path) -> Path:
    return Path(tempfile.gettempdir()).resolve() / f"refund-hub-{os.geteuid()}-{_short_hash(folder)}"


def _short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:10]
