"""The stages of a search by reference, in the order in which their hits are shown; each yields what no earlier one did."""

from enum import IntEnum

SHORTEST_TO_GUESS = 4
"""So much has to be typed before it can name a store or a day."""


class Stage(IntEnum):
    """A cursor remembers the number of the stage that it stands in. The end comes before the beginning: people read it out."""

    RAW = 0
    EXACT = 1
    SUFFIX = 2
    PREFIX = 3
    RECEIPT = 4
    PLACED = 5
    ALIKE = 6
    FRAGMENT = 7


def after_start(start: str) -> str:
    """The first text after all that begin so; keys are ASCII in collation "C"."""
    return start[:-1] + chr(ord(start[-1]) + 1)
