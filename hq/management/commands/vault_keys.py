"""`manage.py vault_keys`: make a new vault key pair, in files that only this user can read."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from stores import vault

PUBLIC, PRIVATE = "vault_public_keys", "vault_private_keys"


class Command(BaseCommand):
    """Adds the pair as the last line of both rings: new values are sealed with it, old ones still open."""

    help = "Make a new vault key pair and add it to the rings in --folder (files of mode 0600)."
    requires_system_checks: list[str] = []  # the checks ask for the very keys that this command makes

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--folder", type=Path, default=settings.VAR_DIR / "keys", help="where the two rings lie")

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        public, private = vault.new_key_pair()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # The private line first: a public key whose private one is lost would seal what nobody can open.
            _add_line(folder / PRIVATE, private)
            _add_line(folder / PUBLIC, public)
        except OSError as error:
            raise CommandError(f"The keys could not be written: {error}") from error
        self.stdout.write(f"Key {public.partition(':')[0]} was made.")
        self.stdout.write(f"Public ring, for every process:       VAULT_PUBLIC_KEYS_FILE={folder / PUBLIC}")
        self.stdout.write(f"Private ring, for worker and sweep:   VAULT_PRIVATE_KEYS_FILE={folder / PRIVATE}")


def _add_line(ring: Path, line: str) -> None:
    """Append durably: written beside, then moved into place, so that no reader sees half a ring."""
    before = ring.read_text() if ring.exists() else ""
    beside = ring.with_name(f"{ring.name}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{before.rstrip()}\n{line}\n".lstrip())
        file.flush()
        os.fsync(file.fileno())
    beside.replace(ring)
