"""The demo's own keys under `var/keys`: made once, kept between runs, readable by this user alone."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from hq.checks import KEY_SETTINGS, OPENERS
from stores import vault

_PRIVATE = "VAULT_PRIVATE_KEYS"
_PUBLIC = "VAULT_PUBLIC_KEYS"
_ALL = (*KEY_SETTINGS, _PRIVATE)
_PLAIN = tuple(name for name in KEY_SETTINGS if name != _PUBLIC)


def make_keys(folder: Path) -> None:
    """Make what is missing. A vault pair of which one half is missing is made anew: it opens nothing any more."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in _PLAIN:
        if not path_of(name, folder).exists():
            _write(path_of(name, folder), secrets.token_urlsafe(48))
    if not (path_of(_PUBLIC, folder).exists() and path_of(_PRIVATE, folder).exists()):
        public, private = vault.new_key_pair()
        path_of(_PUBLIC, folder).unlink(missing_ok=True)
        _write(path_of(_PRIVATE, folder), private)  # first: nothing is ever sealed to a key whose private one is lost
        _write(path_of(_PUBLIC, folder), public)


def path_of(name: str, folder: Path) -> Path:
    """The file of one key setting."""
    return folder / name.lower()


def key_settings(process: str, folder: Path) -> dict[str, str]:
    """NAME_FILE for each key that this process may hold, and no other: only the worker and the sweep open the vault."""
    names = [name for name, processes in KEY_SETTINGS.items() if process in processes]
    if process in OPENERS:
        names.append(_PRIVATE)
    return {f"{name}_FILE": str(path_of(name, folder)) for name in names}


def without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """The same environment with every key taken out."""
    return {name: value for name, value in environment.items() if name.removesuffix("_FILE") not in _ALL}


def _write(path: Path, text: str) -> None:
    """Complete or not at all: a run that was killed here leaves no half key behind."""
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
