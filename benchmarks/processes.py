"""What is paid once a process: the import, and the definition of a large class. Each round is a fresh interpreter."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

from benchmarks.definition import ENDPOINTS
from benchmarks.rows import Row

ROUNDS = 25
ROOT = Path(__file__).parents[1]
IMPORTS = {
    "bare interpreter": "pass",
    "httpx and pydantic": "import httpx; from pydantic import BaseModel, TypeAdapter",
    "stubwire": "from stubwire import ApiClient, get; from pydantic import BaseModel, TypeAdapter",
}
WITH_BYTECODE = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""As an installer leaves a package: the first import of each writes the bytecode that the others read."""
IMPORT = "import"
DEFINE = f"class of {ENDPOINTS} endpoints"


def rows(name: str, rounds: int) -> list[Row]:
    """The rows of the group `name`, from at most 25 rounds: a round here costs a second."""
    return list({IMPORT: _import, DEFINE: _define}[name](min(rounds, ROUNDS)))


def _import(rounds: int) -> Iterator[Row]:
    """Import time less that of a bare interpreter, as CPU milliseconds of a fresh process."""
    for code in IMPORTS.values():
        _cpu_ms(code)  # compiles what has no bytecode yet
    times: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(rounds):
        for name, code in IMPORTS.items():
            times[name].append(_cpu_ms(code))
    bare = median(times["bare interpreter"])
    hand = median(times["httpx and pydantic"]) - bare
    ours = median(times["stubwire"]) - bare
    yield Row(IMPORT, "bare interpreter", bare, "ms", spread=spread(times["bare interpreter"]))
    yield Row(IMPORT, "httpx and pydantic, less bare", hand, "ms", 1.0, spread=spread(times["httpx and pydantic"]))
    yield Row(
        IMPORT,
        "stubwire, less bare",
        ours,
        "ms",
        ours / hand,
        measured=ours / hand,
        bar=1.20,
        of="x httpx and pydantic",
        spread=spread(times["stubwire"]),
    )


def _cpu_ms(code: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=WITH_BYTECODE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3


def _define(rounds: int) -> Iterator[Row]:
    """The time and the memory to define the class, with annotations evaluated by Python and left as strings."""
    modes: dict[str, list[str]] = {"": [], ", PEP 563": ["--pep563"]}
    times: dict[str, list[dict[str, float]]] = {mode: [] for mode in modes}
    for _ in range(rounds):
        for mode, options in modes.items():
            times[mode].append(_child("--time", *options))
    for mode, options in modes.items():
        yield from _time_rows(mode, times[mode])
        yield from _memory_rows(mode, _child("--memory", *options))


def _time_rows(mode: str, samples: list[dict[str, float]]) -> Iterator[Row]:
    plain, stubs, access = ([sample[key] for sample in samples] for key in ("plain", "stubs", "access"))
    total = median(stubs)
    yield Row(DEFINE, f"plain methods{mode}", median(plain), "ms", spread=spread(plain))
    yield Row(DEFINE, f"stubs{mode}", total, "ms", measured=total, bar=20.0, of="ms", spread=spread(stubs))
    per_endpoint = [sample / ENDPOINTS * 1e3 for sample in access]
    yield Row(DEFINE, f"first access of one{mode}", median(per_endpoint), "us", spread=spread(per_endpoint))


def _memory_rows(mode: str, sample: dict[str, float]) -> Iterator[Row]:
    plain, stubs = sample["plain"] / ENDPOINTS / 1e3, sample["stubs"] / ENDPOINTS / 1e3
    yield Row(DEFINE, f"one plain method{mode}", plain, "kB")
    yield Row(DEFINE, f"one stub{mode}", stubs, "kB")
    net = stubs - plain
    yield Row(DEFINE, f"one stub, less a plain method{mode}", net, "kB", measured=net, bar=2.0, of="kB")


def _child(*options: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.definition", *options]
    done = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def spread(samples: list[float]) -> float:
    if len(samples) < 2:
        return 0.0
    low, _, high = quantiles(samples, n=4)
    return (high - low) / median(samples)
