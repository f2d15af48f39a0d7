"""A hub of a program's own: a folder, keys and a database that are nobody else's, and gone when it ends."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from hq.demo.environments import Environments
from hq.demo.keys import make_keys
from hq.embedded.places import places_of, runs_as_root
from tests import environment

BASE = Path(__file__).resolve().parents[2]
FOLDER_OPTION = "--folder"
_CALLERS_OWN = ("DATABASE_URL", "DATABASE_URL_FILE", "REDIS_URL", "REDIS_CACHE_URL")


def become_the_hub(module: str, *, process: str = "command") -> None:
    """Settings are read once, at start: so this process becomes the same again, with keys and a folder of its own.

    It holds the keys that `process` may hold.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"{module.rpartition('.')[2]}-"))
    environments = environments_of(os.environ, folder)
    make_keys(environments.keys)
    environment.stop_what_was_started()
    arguments = [sys.executable, "-m", module, *sys.argv[1:], FOLDER_OPTION, str(folder)]
    database = {"DATABASE_URL": places_of(BASE, var=folder).url}
    os.execve(sys.executable, arguments, environments.of(process, **database))  # noqa: S606 - itself


def environments_of(given: Mapping[str, str], folder: Path) -> Environments:
    """The environments of a run in that folder, whatever database and broker the caller uses."""
    return Environments(given={name: value for name, value in given.items() if name not in _CALLERS_OWN}, var=folder)


def tear_down(folder: Path) -> None:
    """The database's files, which under root lie elsewhere; logs and histories stay in the folder of the run."""
    places = places_of(BASE, var=folder)
    for each in {places.folder, places.socket_folder}:
        shutil.rmtree(each, ignore_errors=True)
    if runs_as_root():
        with suppress(OSError):
            places.folder.parent.rmdir()
