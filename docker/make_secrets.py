"""Make the secret files that docker/compose.yaml mounts; a file that exists is kept, for some cannot be made again."""

import os
import secrets
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from stores.vault import new_key_pair

_HUB = 10001  # the user of the image


def main() -> int:
    """Write what is missing into the folder named on the command line."""
    if len(sys.argv) != 2:
        sys.stderr.write("Usage: python docker/make_secrets.py FOLDER\n")
        return 2
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    keys = [folder / "vault_public_keys", folder / "vault_private_keys"]
    if keys[0].exists() != keys[1].exists():
        sys.stderr.write(f"{keys[0]} and {keys[1]} belong together, and one of them is missing: bring it back first.\n")
        return 1
    for name in ("secret_key", "web_seal_key", "fingerprint_key"):
        _write(folder / name, secrets.token_urlsafe(48))
    # read by PostgreSQL's own user as well, behind a folder that only this one may enter
    _write(folder / "postgres_password", secrets.token_hex(24), mode=0o444)
    password = (folder / "postgres_password").read_text()
    _write(folder / "database_url", f"postgresql://refund_hub:{password}@postgres:5432/refund_hub")
    if not keys[0].exists():
        for path, line in zip(keys, new_key_pair(), strict=True):
            _write(path, line)
    sys.stdout.write(f"The secrets are in {folder}. Keep a copy of vault_private_keys somewhere safe and offline.\n")
    return 0


def _write(path: Path, text: str, *, mode: int = 0o400) -> None:
    """Without a newline at the end: the whole file is the value."""
    if path.exists():
        return
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    path.chmod(mode)
    if os.geteuid() == 0:
        os.chown(path, _HUB, _HUB)


if __name__ == "__main__":
    sys.exit(main())
