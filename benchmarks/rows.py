"""A row of the result: what was measured, what it must not exceed, and whether that holds."""

from dataclasses import dataclass

HEADING = ("median", "+-", "x hand", "bar", "verdict", "calls", "cyclic")
LAYOUT = "{:45} {:>11} {:>5} {:>7}  {:34} {:14} {:>5} {:>6}"


@dataclass(frozen=True)
class Row:
    """One measured figure. `bar` bounds `measured`; a row without a bar is for information.

    Args:
        group: the comparison it belongs to
        case: what was measured
        value: the figure itself, in `unit`
        to_hand: the figure as a ratio to the hand-written call, where there is one
        measured: what the bar bounds, usually a ratio
        bar: the most that `measured` may be
        of: what `measured` is a ratio to, or its unit
        excused: a bar's own second clause holds (section "What each row means" of the README)
        spread: the interquartile range as a part of `value`
        entered: Python and C functions entered by one call
        cyclic: objects that one call leaves to the cycle collector
    """

    group: str
    case: str
    value: float
    unit: str
    to_hand: float | None = None
    measured: float | None = None
    bar: float | None = None
    of: str = ""
    excused: bool = False
    spread: float | None = None
    entered: int | None = None
    cyclic: float | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the bar holds; None without a bar."""
        if self.bar is None or self.measured is None:
            return None
        return self.measured <= self.bar or self.excused

    @property
    def verdict(self) -> str:
        """The verdict in words."""
        return {None: "", True: "holds", False: "does not hold"}[self.holds]


def table(rows: list[Row]) -> str:
    """All rows as text, aligned, with one heading for each group."""
    lines: list[str] = []
    previous = ""
    for row in rows:
        if row.group != previous:
            lines += ["", _line(row.group, *HEADING), "-" * 132]
            previous = row.group
        lines.append(_line(*_cells(row)))
    return "\n".join(lines)


def _line(*cells: str) -> str:
    return LAYOUT.format(*cells).rstrip()


def _cells(row: Row) -> tuple[str, ...]:
    return (
        "  " + row.case,
        f"{row.value:.1f} {row.unit}",
        "" if row.spread is None else f"{row.spread:.0%}",
        "" if row.to_hand is None else f"{row.to_hand:.3f}",
        "" if row.bar is None else f"{row.measured:.3f} of {row.bar:.2f} {row.of}",
        row.verdict,
        "" if row.entered is None else str(row.entered),
        "" if row.cyclic is None else f"{row.cyclic:.0f}",
    )
