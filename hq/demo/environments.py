"""The whole environment of each process of the demo: the caller's, without keys, and what that process needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hq.demo.keys import key_settings, without_keys

_PLAIN_NAMES = ("PATH", "PYTHONPATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")


@dataclass(frozen=True, kw_only=True)
class Environments:
    """`given` is the caller's environment; DATABASE_URL and REDIS_URL in it are respected."""

    given: Mapping[str, str]
    var: Path

    @property
    def has_database(self) -> bool:
        """Whether the caller brought a PostgreSQL server."""
        return any(self.given.get(name) for name in ("DATABASE_URL", "DATABASE_URL_FILE"))

    @property
    def keys(self) -> Path:
        """The folder of the demo's keys."""
        return self.var / "keys"

    def of(self, process: str, **more: str) -> dict[str, str]:
        """For a process of the hub itself, with the keys that it may hold. Of its own result it makes the same again."""
        return {
            **without_keys(self.given),
            "DEMO": "true",
            "HTTPS_ONLY": "false",  # plain HTTP on this machine
            "DJANGO_SETTINGS_MODULE": "hq.settings",
            "VAR_DIR": str(self.var),
            "PROCESS": process,
            **key_settings(process, self.keys),
            **more,
        }

    def of_stranger(self) -> dict[str, str]:
        """For a process that has nothing to do with the hub's settings: the database, the simulator."""
        plain = {name: self.given[name] for name in _PLAIN_NAMES if name in self.given}
        return {**plain, "VAR_DIR": str(self.var)}
