"""What one try to send a message came to."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Tried:
    """`status` is None where no answer came; `problem` is empty on success."""

    status: int | None
    problem: str
