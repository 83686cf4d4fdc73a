"""How much load retries add to a server that fails, with a retry budget and without: `python -m benchmarks.load`.

It prints the table of docs/resilience.md and draws docs/resilience-budget.svg, which also keeps the figures. What to do
after a failure is decided by the library's own `Retry` and `RetryBudget`; the clock, the server and the way there are
simulated: an answer takes no time, and a client begins its calls evenly, whatever became of those before.
"""

import heapq
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

from stubwire import Outcome, Request, Response, Retry, RetryBudget

PICTURE = Path(__file__).parent.parent / "docs" / "resilience-budget.svg"
CLIENTS = 1000
RATE = 2
"""Calls that a client begins in a second."""
SECONDS = 120
OUTAGE = (30, 90)
SEED = 1

RETRY = Retry()
REQUEST = Request("GET", "https://api.example/")
FAILED = Response(503)


def _in_outage(time: float) -> float:
    return 1.0 if OUTAGE[0] <= time < OUTAGE[1] else 0.0


SCENARIOS: dict[str, Callable[[float], float]] = {
    "0 %": lambda _: 0.0,
    "5 %": lambda _: 0.05,
    "50 %": lambda _: 0.5,
    "100 %": lambda _: 1.0,
    "everything, for 60 s": _in_outage,
}
"""How likely a request fails, by the seconds since the start."""

OUTAGE_ROW = "everything, for 60 s"


@dataclass
class Load:
    """What one simulation came to.

    Attributes:
        requests: how many a call made.
        answered: the part of the calls that succeeded.
        by_second: requests that reached the server in each second, as a multiple of the calls begun in it.
    """

    requests: float
    answered: float
    by_second: list[float] = field(default_factory=list[float])


Figures = dict[str, dict[str, Load]]
"""By scenario, and by `"without"` and `"with"` a budget."""


def simulate(name: str, *, clients: int = CLIENTS, budget: bool, seed: int = SEED) -> Load:
    """Simulate a scenario; of an outage, the calls that are begun during it count."""
    window = range(*OUTAGE) if name == OUTAGE_ROW else range(SECONDS)
    state = random.getstate()
    random.seed(seed)  # tenacity draws its jitter from this one
    try:
        budgets = (RetryBudget() if budget else None for _ in range(clients))
        sent = [request for own in budgets for request in _client(SCENARIOS[name], own)]
    finally:
        random.setstate(state)
    calls = clients * RATE
    counted = [request for request in sent if int(request.call) in window]
    seconds = Counter(int(request.time) for request in sent)
    return Load(
        round(len(counted) / (calls * len(window)), 3),
        round(sum(request.succeeded for request in counted) / (calls * len(window)), 3),
        [round(seconds[second] / calls, 3) for second in range(SECONDS)],
    )


class Sent(NamedTuple):
    """One request: when its call began, when it reached the server, and whether it succeeded."""

    call: float
    time: float
    succeeded: bool


def _client(fails: Callable[[float], float], budget: RetryBudget | None) -> Iterator[Sent]:
    """The requests of one client."""
    phase = random.random() / RATE
    due = [(phase + number / RATE, phase + number / RATE, 1) for number in range(SECONDS * RATE)]
    while due:
        now, started, number = heapq.heappop(due)
        succeeded = random.random() >= fails(now)
        yield Sent(started, now, succeeded)
        if succeeded:
            if budget is not None:
                budget._give()
            continue
        decision = RETRY.decide(Outcome(REQUEST, number, now - started, FAILED, None, True))
        if decision.wait is not None and (budget is None or budget._take()):
            heapq.heappush(due, (now + decision.wait, started, number + 1))


def figures(clients: int = CLIENTS) -> Figures:
    """Simulate everything."""
    return {
        name: {
            "without": simulate(name, clients=clients, budget=False),
            "with": simulate(name, clients=clients, budget=True),
        }
        for name in SCENARIOS
    }


def table(found: Figures) -> str:
    """The figures as Markdown."""
    lines = [
        "| the server fails | requests per call: without a budget | with it | calls answered: without | with it |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, both in found.items():
        loose, bound = both["without"], both["with"]
        lines.append(
            f"| {name} | {loose.requests:.2f} | {bound.requests:.2f} | {loose.answered:.0%} | {bound.answered:.0%} |"
        )
    return "\n".join(lines)


# ---- the picture

WIDTH, HEIGHT = 720, 320
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 48, 44
HIGHEST = 3.5
FONT = 'font-family="sans-serif" font-size="12"'
COLOURS = {"without": "#c2410c", "with": "#1d4ed8"}
LABELS = {"without": "without a budget", "with": "with the budget (the default)"}


def _x(second: float) -> float:
    return LEFT + second / SECONDS * (WIDTH - LEFT - RIGHT)


def _y(load: float) -> float:
    return HEIGHT - BOTTOM - load / HIGHEST * (HEIGHT - TOP - BOTTOM)


def picture(found: Figures) -> str:
    """The outage as an SVG, which keeps all figures."""
    data = json.dumps({name: {kind: asdict(load) for kind, load in both.items()} for name, both in found.items()})
    title = "Requests per second that reach the server, as a multiple of the calls that are begun"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {FONT} role="img">',
            f"<title>{title}</title>",
            f"<metadata>{data}</metadata>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
            f'<text x="{LEFT}" y="20" font-size="13" fill="#111">{title}</text>',
            *_axes(),
            *(_line(kind, load.by_second, at) for at, (kind, load) in enumerate(found[OUTAGE_ROW].items())),
            "</svg>",
            "",
        ]
    )


def _axes() -> list[str]:
    begin, end = map(_x, OUTAGE)
    height = _y(0) - _y(HIGHEST)
    lines = [
        f'<rect x="{begin:.1f}" y="{_y(HIGHEST):.1f}" width="{end - begin:.1f}" height="{height:.1f}" fill="#f3f4f6"/>',
        f'<text x="{begin + 8:.1f}" y="{_y(0) - 8:.1f}" fill="#555">every request fails</text>',
    ]
    for load in range(4):
        lines += [
            f'<path d="M{LEFT} {_y(load):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>',
            f'<text x="{LEFT - 8}" y="{_y(load) + 4:.1f}" text-anchor="end" fill="#111">{load} x</text>',
        ]
    for second in range(0, SECONDS + 1, 30):
        text = f"{second} s"
        lines.append(f'<text x="{_x(second):.1f}" y="{_y(0) + 18:.1f}" text-anchor="middle" fill="#111">{text}</text>')
    return lines


def _line(kind: str, by_second: list[float], at: int) -> str:
    points = " ".join(f"{_x(second + 0.5):.1f},{_y(load):.1f}" for second, load in enumerate(by_second))
    colour, x = COLOURS[kind], LEFT + at * 200
    return (
        f'<path d="M{x} 34h24" stroke="{colour}" stroke-width="2"/><text x="{x + 30}" y="38" fill="#111">'
        f'{LABELS[kind]}</text><polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
    )


def kept(text: str) -> Figures:
    """The figures that a picture keeps."""
    data = re.findall(r"<metadata>(.*?)</metadata>", text)
    return {name: {kind: Load(**load) for kind, load in both.items()} for name, both in json.loads(data[0]).items()}


def main() -> None:
    """Simulate, print the table, and draw."""
    found = figures()
    PICTURE.write_text(picture(found), encoding="utf-8")
    print(table(found))


if __name__ == "__main__":
    main()
