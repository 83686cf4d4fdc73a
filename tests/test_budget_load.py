"""What the page on resilience says of the load that retries add: figures of the simulation, and of the library."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks import load

from conftest import Api, Clock, Reply
from stubwire import ApiClient, CallError, get

MakeApi = Callable[..., Api]
PICTURE = load.PICTURE.read_text(encoding="utf-8")
PAGE = (Path(__file__).parent.parent / "docs" / "resilience.md").read_text(encoding="utf-8")
FEW = 20


class Things(ApiClient):
    base_url = "https://api.example"

    @get("/thing")
    def thing(self) -> int:
        raise NotImplementedError


def test_the_table_of_the_page_has_the_figures_of_the_picture() -> None:
    assert f"\n\n{load.table(load.kept(PICTURE))}\n\n" in PAGE


def test_the_picture_is_drawn_from_its_figures() -> None:
    assert load.picture(load.kept(PICTURE)) == PICTURE
    assert list(load.kept(PICTURE)) == list(load.SCENARIOS)


@pytest.mark.parametrize("kind", ["without", "with"])
@pytest.mark.parametrize("name", load.SCENARIOS)
def test_its_figures_are_those_of_the_simulation(name: str, kind: str) -> None:
    """Of fewer clients, which are alike."""
    few = load.simulate(name, clients=FEW, budget=kind == "with")
    many = load.kept(PICTURE)[name][kind]
    assert few.requests == pytest.approx(many.requests, abs=0.03)
    assert few.answered == pytest.approx(many.answered, abs=0.03)
    assert sum(few.by_second) == pytest.approx(sum(many.by_second), rel=0.03)
    assert len(few.by_second) == len(many.by_second) == load.SECONDS


def test_a_seed_gives_the_same_figures_and_disturbs_nobody() -> None:
    before = random.getstate()
    once = load.simulate("50 %", clients=2, budget=True)
    assert load.simulate("50 %", clients=2, budget=True) == once
    assert load.simulate("50 %", clients=2, budget=True, seed=2) != once
    assert random.getstate() == before


def test_a_simulated_client_makes_as_many_requests_as_a_real_one(api: MakeApi, clock: Clock) -> None:
    """Against a server that fails everything."""
    server = api(Reply(503))
    client = Things(transport=server.transport)
    calls = load.SECONDS * load.RATE
    for _ in range(calls):
        with pytest.raises(CallError):
            client.thing()
    simulated = load.simulate("100 %", clients=1, budget=True)
    assert len(server.requests) == round(simulated.requests * calls) == calls + 35


def test_the_budget_bounds_what_retries_add() -> None:
    """After 35 retries at most a fourteenth of what is answered."""
    for name, both in load.kept(PICTURE).items():
        calls = load.RATE * (load.OUTAGE[1] - load.OUTAGE[0] if name == load.OUTAGE_ROW else load.SECONDS)
        assert both["with"].requests <= 1 + 35 / calls + both["with"].answered / 14 + 0.001  # they are rounded
