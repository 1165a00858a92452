"""What was measured, as a table for people and as JSON for whoever compares runs."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from statistics import median
from typing import Any


class Aim(StrEnum):
    """On which side of the aim a figure should lie."""

    AT_LEAST = "≥"
    AT_MOST = "≤"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number; `key` names it for machines, `runs` are what its median was taken of."""

    key: str
    what: str
    value: float
    unit: str
    aim: tuple[Aim, float] | None = None
    runs: tuple[float, ...] = ()

    @property
    def is_met(self) -> bool | None:
        """Whether the aim is met; None where there is none."""
        if self.aim is None:
            return None
        side, goal = self.aim
        return self.value >= goal if side is Aim.AT_LEAST else self.value <= goal


def of_runs(
    key: str, what: str, runs: Sequence[float], unit: str, aim: tuple[Aim, float] | None = None
) -> Figure:
    """Return the median of several runs."""
    return Figure(key, what, median(runs), unit, aim, tuple(runs))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as lines: what, the number, its aim and whether it is met, the spread of runs."""
    lines = [("", "figure", "aim", "runs from … to"), *map(_line, figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    return "\n".join(
        f"{what:<{widths[0]}}  {value:>{widths[1]}}  {aim:<{widths[2]}}  {spread}".rstrip()
        for what, value, aim, spread in lines
    )


def _line(figure: Figure) -> tuple[str, str, str, str]:
    spread = f"{shown(min(figure.runs))} … {shown(max(figure.runs))}" if len(figure.runs) > 1 else ""
    return (figure.what, f"{shown(figure.value)} {figure.unit}".rstrip(), _aim(figure), spread)


def _aim(figure: Figure) -> str:
    if figure.aim is None:
        return ""
    side, goal = figure.aim
    return f"{side} {shown(goal)} {'met' if figure.is_met else 'MISSED'}"


def shown(value: float) -> str:
    """Return a number with three significant digits, or whole where it is large."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def as_json(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """Return the figures as JSON, with everything the table leaves out."""
    return [{**asdict(figure), "met": figure.is_met} for figure in figures]
