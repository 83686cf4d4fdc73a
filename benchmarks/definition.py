"""Define a class of 500 endpoints, once, in this process: `python -m benchmarks.definition --time | --memory`.

A stub has two path parameters, three query parameters and a return type of its own; every fifth has a query parameter
with an alias and constraints. The same class with the decorators
left out is defined first; the difference is what the declarations cost. Prints JSON, for `benchmarks.processes`.
"""

import __future__

import argparse
import gc
import json
import sys
import time
import tracemalloc
from types import CodeType, ModuleType
from typing import Any

import stubwire

ENDPOINTS = 500

PRELUDE = """
from datetime import datetime
from typing import Annotated, Literal
from pydantic import BaseModel, Field
from stubwire import ApiClient, Query, get
"""

MODEL = """
class Model{number:03}(BaseModel):
    id: int
    name: str
"""

CONSTRAINED = 'Annotated[int, Query("per-page"), Field(ge=1, le=100)]'
METHOD = '''
    {decorator}
    def endpoint_{number:03}(
        self,
        owner: str,
        number: int,
        *,
        state: Literal["open", "closed", "all"] = "open",
        since: datetime | None = None,
        per_page: {per_page} = 30,
    ) -> {returns}:
        """Answer for one owner."""
        raise NotImplementedError
'''


def source(head: str, *, decorated: bool) -> str:
    """A class statement of 500 methods, decorated or not."""
    methods: list[str] = []
    for number in range(ENDPOINTS):
        model = f"Model{number:03}"
        decorator = f'@get("/owners/<owner>/things-{number:03}/<number>")' if decorated else ""
        returns = f"list[{model}]" if number % 2 else model
        per_page = "int" if number % 5 else CONSTRAINED
        methods.append(METHOD.format(decorator=decorator, number=number, returns=returns, per_page=per_page))
    return f"class {head}:" + "".join(methods)


def module() -> ModuleType:
    """A module in which 500 models exist and no client does."""
    made = ModuleType("many_endpoints")
    sys.modules[made.__name__] = made
    exec(PRELUDE + "".join(MODEL.format(number=number) for number in range(ENDPOINTS)), vars(made))
    return made


def compiled(text: str, pep563: bool) -> CodeType:
    """Bytecode, as an imported module would have it ready."""
    flags = __future__.annotations.compiler_flag if pep563 else 0
    code: CodeType = compile(text, "many_endpoints.py", "exec", flags=flags, dont_inherit=True)
    return code


def check(made: ModuleType, pep563: bool) -> None:
    """Raise an AssertionError unless a wrong declaration, the last of 500, is found when its class is created."""
    wrong = source("Wrong(ApiClient)", decorated=True).replace('things-499/<number>"', 'things-499/<nobody>"')
    found = ""
    try:
        exec(compiled(wrong, pep563), vars(made))
    except stubwire.SpecError as error:
        found = str(error)
    assert "nobody" in found, f"a placeholder without a parameter was not found at class creation: {found!r}"


def timed(made: ModuleType, plain: CodeType, stubs: CodeType) -> dict[str, float]:
    """Milliseconds of CPU to define each class, and to access each endpoint of the second for the first time."""
    figures: dict[str, float] = {}
    for name, code in (("plain", plain), ("stubs", stubs)):
        gc.collect()
        start = time.process_time_ns()
        exec(code, vars(made))
        figures[name] = (time.process_time_ns() - start) / 1e6
    client: Any = vars(made)["Stubs"](base_url="https://api.example.com")
    names = [f"endpoint_{number:03}" for number in range(ENDPOINTS)]
    start = time.process_time_ns()
    for name in names:
        getattr(client, name)
    figures["access"] = (time.process_time_ns() - start) / 1e6
    return figures


def weighed(made: ModuleType, plain: CodeType, stubs: CodeType) -> dict[str, float]:
    """Bytes that each class keeps."""
    figures: dict[str, float] = {}
    for name, code in (("plain", plain), ("stubs", stubs)):
        gc.collect()
        tracemalloc.start()
        exec(code, vars(made))
        gc.collect()
        figures[name] = float(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
    return figures


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.definition", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--time", action="store_true")
    what.add_argument("--memory", action="store_true")
    parser.add_argument("--pep563", action="store_true", help="leave annotations as strings")
    options = parser.parse_args()
    made = module()
    plain = compiled(source("Plain", decorated=False), options.pep563)
    stubs = compiled(source("Stubs(ApiClient)", decorated=True), options.pep563)
    gc.collect()
    gc.freeze()
    gc.disable()
    figures = (timed if options.time else weighed)(made, plain, stubs)
    check(made, options.pep563)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
