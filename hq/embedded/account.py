"""The system account that runs PostgreSQL when root starts the hub; everybody else runs it as themselves."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from hq.embedded.errors import EmbeddedError
from hq.embedded.places import Places, runs_as_root

_NAME = "refund-hub-db"


@dataclass(frozen=True, kw_only=True)
class Account:
    """A user and a group to run PostgreSQL as, by number."""

    uid: int
    gid: int


def account_for_database(places: Places) -> Account:
    """Give the account PostgreSQL runs as; under root, make the system account if it is not there yet."""
    if not runs_as_root():
        return Account(uid=os.geteuid(), gid=os.getegid())
    try:
        entry = pwd.getpwnam(_NAME)
    except KeyError:
        tell(f"PostgreSQL does not run as root: making the system account {_NAME}; the data goes to {places.folder}.")
        entry = _make_account()
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def make_folders(places: Places, account: Account) -> None:
    """Make the data folder and the socket's folder, open to the account alone."""
    places.folder.parent.mkdir(parents=True, exist_ok=True)
    for folder in {places.folder, places.socket_folder}:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), account.uid}:
            raise EmbeddedError(f"{folder} belongs to another user; remove it, or set DATABASE_URL.")
        if runs_as_root():
            os.chown(folder, account.uid, account.gid)
        folder.chmod(0o700)


def run_as(account: Account, argv: list[str], places: Places, *, extra: dict[str, str] | None = None) -> str:
    """Run one of PostgreSQL's programs as the account and give what it printed; a failure raises EmbeddedError."""
    # PG… variables of the caller's shell must not steer our server
    env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", **(extra or {})}
    other = runs_as_root()
    done = subprocess.run(  # noqa: S603 (programs of the wheel, arguments of ours)
        argv,
        cwd=places.folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=180,
        start_new_session=True,  # a Ctrl-C in the terminal is for the hub, not for its database
        umask=0o077,
        user=account.uid if other else None,
        group=account.gid if other else None,
        extra_groups=[] if other else None,
    )
    if done.returncode != 0:
        raise EmbeddedError(f"{Path(argv[0]).name} failed ({done.returncode}): {done.stdout.strip()}")
    return done.stdout


def tell(sentence: str) -> None:
    """Say on stderr what is about to be done to this machine."""
    sys.stderr.write(f"refund hub: {sentence}\n")
    sys.stderr.flush()


def _make_account() -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if useradd is None:
        raise EmbeddedError("There is no useradd here: start the hub as another user than root, or set DATABASE_URL.")
    argv = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/", "--shell", "/bin/false", _NAME]
    made = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)  # noqa: S603 (fixed arguments)
    try:
        return pwd.getpwnam(_NAME)  # also when another start made it in the same moment
    except KeyError:
        raise EmbeddedError(f"The system account {_NAME} could not be made: {made.stderr.strip()}") from None
