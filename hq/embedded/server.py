"""Start the embedded PostgreSQL, see whether it runs, stop it; safe for many callers at once."""

import fcntl
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from hq.embedded.account import Account, account_for_database, make_folders, run_as
from hq.embedded.binaries import find_programs
from hq.embedded.errors import EmbeddedError
from hq.embedded.places import DATABASE, PORT, SUPERUSER, Places, places_of

_START_SECONDS = 60.0  # a crash recovery can take its time
_ORPHANS_SECONDS = 15.0  # backends of a killed postmaster leave by themselves, at the latest after their statement
_OLD_ONE_LEAVES = ("is still in use", "lock file")  # PostgreSQL's words for processes of the old server being there yet
_SETTINGS = {
    "listen_addresses": "",  # the Unix socket only
    "unix_socket_permissions": "0700",
    "port": str(PORT),
    "max_connections": "200",
    "fsync": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_error_statement": "panic",  # a refused statement may carry customers' data; the log does not get it
}


def ensure_running(base: Path, *, var: Path | None = None) -> str:
    """Start the PostgreSQL of the project at `base` if it does not run, make the hub's database, give its URL.

    Raises EmbeddedError with a sentence that says what to do.
    """
    programs = find_programs()
    places = places_of(base, var=var)
    account = account_for_database(places)
    make_folders(places, account)
    with _held(places.lock):
        if not places.cluster.exists():
            _make_cluster(places, account, programs)
        _start_until_it_answers(places, account, programs)
    return places.url


def is_running(base: Path, *, var: Path | None = None) -> bool:
    """Say whether the PostgreSQL of the project at `base` listens."""
    return _listens(places_of(base, var=var))


def stop(base: Path, *, var: Path | None = None) -> bool:
    """Stop the PostgreSQL of the project at `base`, ending open connections; False when it did not run."""
    places = places_of(base, var=var)
    if not places.cluster.exists():
        return False
    programs, account = find_programs(), account_for_database(places)
    with _held(places.lock):
        if not _listens(places):
            return False
        argv = [str(programs / "pg_ctl"), "stop", "-D", str(places.cluster), "-w", "-t", "30", "-m"]
        try:
            run_as(account, [*argv, "fast"], places)
        except EmbeddedError:
            run_as(account, [*argv, "immediate"], places)  # the next start recovers from the log
    return True


@contextmanager
def _held(lock: Path) -> Iterator[None]:
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)  # ends with this process, however it ends
        yield
    finally:
        os.close(handle)


def _listens(places: Places) -> bool:
    """Ask the socket, never the number in postmaster.pid: after a crash that number may be anybody's."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(5)
        try:
            probe.connect(str(places.socket))
        except TimeoutError:
            return True  # somebody holds it, too busy to answer
        except OSError:
            return False
    return True


def _make_cluster(places: Places, account: Account, programs: Path) -> None:
    shutil.rmtree(places.unfinished_cluster, ignore_errors=True)
    argv = [str(programs / "initdb"), "-D", str(places.unfinished_cluster), "--username", SUPERUSER, "--auth=trust"]
    argv += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    run_as(account, argv, places)
    places.unfinished_cluster.rename(places.cluster)


def _start_until_it_answers(places: Places, account: Account, programs: Path) -> None:
    started = time.monotonic()
    while True:
        if not _listens(places):
            pid = _launch(places, account, programs)
            if not _listens_before(places, pid, started + _START_SECONDS):
                end = _end_of(places.log)
                if not any(words in end for words in _OLD_ONE_LEAVES) or time.monotonic() - started > _ORPHANS_SECONDS:
                    raise EmbeddedError(f"The embedded PostgreSQL does not start; its log ends with:\n{end}")
                time.sleep(0.5)
                continue
        try:
            return _make_database(places)
        except psycopg.OperationalError as error:  # it still recovers, or somebody is just stopping it
            if time.monotonic() - started > _START_SECONDS:
                raise EmbeddedError(f"The embedded PostgreSQL listens but does not answer: {error}") from error
            time.sleep(0.05)


def _launch(places: Places, account: Account, programs: Path) -> int:
    """Start the postmaster as nobody's child, so that it outlives whoever starts it."""
    settings = _SETTINGS | {"unix_socket_directories": '"{}"'.format(str(places.socket_folder).replace('"', '""'))}
    argv = [str(programs / "postgres"), "-D", str(places.cluster)]
    argv += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    # Nobody listens, so the number in a left-over postmaster.pid is stale, even if another process bears it by now or
    # nobody has buried the old one yet. This variable tells PostgreSQL so; it still looks for backends of the old
    # postmaster in the shared memory and refuses to start beside them (PostgreSQL: CreateLockFile in miscinit.c).
    stale = _stale_pid(places)
    script = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'
    shell = ["/bin/sh", "-c", script, "sh", str(places.log), *argv]
    return int(run_as(account, shell, places, extra={"PG_GRANDPARENT_PID": str(stale)} if stale else None))


def _stale_pid(places: Places) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        return int((places.cluster / "postmaster.pid").read_text().splitlines()[0])
    return None


def _listens_before(places: Places, pid: int, deadline: float) -> bool:
    while time.monotonic() < deadline:
        if _listens(places):
            return True
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return _listens(places)
        time.sleep(0.02)
    return False


def _make_database(places: Places) -> None:
    with psycopg.connect(
        host=str(places.socket_folder),
        port=PORT,
        user=SUPERUSER,
        dbname="postgres",
        connect_timeout=10,
        autocommit=True,
    ) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _end_of(log: Path) -> str:
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-8:])
    except OSError:
        return "(there is no log)"
