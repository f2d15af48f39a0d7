"""What may go wrong and how often: one draw of each schedule, and the draws at every yield point."""

import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from tests.faults.schedules.stage import Crash, Stage

_STALLS = (0.3, 2.0, 4.0, 6.0, 6.0, 20.0, 35.0, 61.0, 61.0, 130.0, 700.0, 4_000.0, 30_000.0, 50_000.0, 90_000.0)
_OURS = ("/refunds/", "/stores/")
_NOT_PLACES = ("/clock.py", "/vipps/", "/audit/", "/states.py")


@dataclass(frozen=True, kw_only=True)
class Weather:
    """How likely each kind of fault is in this schedule, per opportunity."""

    crash: float
    stall: float
    yields: float
    database: float
    transport: float
    broker: float

    @classmethod
    def drawn(cls, dice: random.Random) -> "Weather":
        """Calm or stormy, each kind for itself."""

        def one_of(*levels: float) -> float:
            return dice.choice(levels)

        return cls(
            crash=one_of(0.005, 0.02, 0.05),
            stall=one_of(0.005, 0.02, 0.05),
            yields=one_of(0.05, 0.3, 0.6),
            database=one_of(0.0, 0.002, 0.008),
            transport=one_of(0.2, 0.5, 0.8, 0.95),
            broker=one_of(0.0, 0.1, 0.4, 0.9),
        )


class Faults:
    """Draws faults while the schedule is in chaos; counts each, with the place and the refund's state it hit."""

    def __init__(self, dice: random.Random, stage: Stage, weather: Weather, *, state_of: Callable[[str], str]) -> None:
        self.dice = dice
        self.stage = stage
        self.weather = weather
        self.is_on = True
        self.happened: Counter[str] = Counter()
        self.reached: Counter[str] = Counter()
        """State of the refund that was being worked on, fault, place."""
        self._state_of = state_of

    def strikes(self, chance: float) -> bool:
        return self.is_on and self.stage.current is not None and chance > 0 and self.dice.random() < chance

    def note(self, fault: str, *, times: int = 1) -> None:
        self.happened[fault] += times
        actor = self.stage.current
        state = self._state_of(actor.doing) if actor is not None else ""
        self.reached[f"{state or 'nothing yet'} | {fault} | {_place()}"] += 1

    def yield_point(self, kind: str, *, may_stall: float = float("inf")) -> None:
        """The process may die here, freeze for a while, or let another go first."""
        if not self.is_on or self.stage.current is None:
            return
        drawn = self.dice.random()
        weather = self.weather
        if drawn < weather.crash:
            self.note(f"crash {kind}")
            raise Crash
        drawn -= weather.crash
        if drawn < weather.stall:
            self.note(f"stall {kind}")
            self.stage.pause(min(may_stall, self.dice.choice(_STALLS)))
            return
        drawn -= weather.stall
        if drawn < weather.yields:
            self.stage.pause(0.0)


def _place() -> str:
    """The function of ours that was at work."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        name = code.co_filename
        if any(ours in name for ours in _OURS) and "/tests/" not in name and not any(part in name for part in _NOT_PLACES):
            return f"{name.rsplit('/', 1)[-1].removesuffix('.py')}.{code.co_name}"
        frame = frame.f_back
    return "outside"
