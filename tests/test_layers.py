"""The house's shape: imports point down, nothing is circular, modules and functions stay small."""

from __future__ import annotations

import ast
import graphlib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PACKAGE = HERE.parent / "src" / "stubwire"
MODULE_LINES = 350
FUNCTION_LINES = 40


@dataclass(frozen=True)
class Module:
    """One source file; `name` is relative to the package and empty for the package's own `__init__`."""

    name: str
    is_package: bool
    lines: list[str]
    tree: ast.Module


def load(package: Path) -> dict[str, Module]:
    modules: dict[str, Module] = {}
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        text = file.read_text(encoding="utf-8")
        modules[name] = Module(name, is_package, text.splitlines(), ast.parse(text))
    return modules


def read_layers(text: str) -> dict[str, int]:
    lines = text.splitlines()
    return {name: level for level, line in enumerate(lines) for name in line.split("#")[0].split()}


def runtime_nodes(tree: ast.AST) -> list[ast.AST]:
    """Every node but the bodies of `if TYPE_CHECKING:`; their `else` does run."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        found.append(node)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            waiting.extend(node.orelse)
        else:
            waiting.extend(ast.iter_child_nodes(node))
    return found


def absolute(node: ast.ImportFrom, module: Module, package: str) -> str:
    if not node.level:
        return node.module or ""
    here = [package, *module.name.split(".")] if module.name else [package]
    base = here[: len(here) - node.level + module.is_package]
    return ".".join([*base, *([node.module] if node.module else [])])


def imports(module: Module, known: set[str], package: str) -> set[str]:
    """The package's modules that this one imports at run time, in functions too."""
    names: list[str] = []
    for node in runtime_nodes(module.tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            source = absolute(node, module, package)
            names += [f"{source}.{alias.name}" for alias in node.names]
    found: set[str] = set()
    for name in names:
        if name != package and not name.startswith(f"{package}."):
            continue
        inner = name.removeprefix(package).removeprefix(".")
        found.add(inner if inner in known else inner.rpartition(".")[0])
    return (found & known) - {module.name}


def import_problems(modules: dict[str, Module], layers: dict[str, int], package: str) -> list[str]:
    known = set(modules)
    graph = {name: imports(module, known, package) for name, module in modules.items()}
    faces = {name for name, module in modules.items() if module.is_package}
    inner = sorted(known - faces)
    problems = [f"{name} stands on no layer" for name in inner if name not in layers]
    problems += [f"layers.txt names {name}, which does not exist" for name in layers if name not in known]
    for name in inner:
        for target in sorted(graph[name] - faces):
            if layers.get(target, -1) >= layers.get(name, len(layers)):
                problems.append(f"{name} imports {target}, which is not below it")
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        problems.append("circle: " + " ".join(sorted({name or package for name in error.args[1]})))
    return problems


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> int:
    """Lines of the body that are neither blank, nor a comment, nor the docstring."""
    body = function.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    if not body:
        return 0
    text = [line.strip() for line in lines[body[0].lineno - 1 : function.end_lineno]]
    return sum(1 for line in text if line and not line.startswith("#"))


def size_problems(modules: dict[str, Module]) -> list[str]:
    problems: list[str] = []
    for module in modules.values():
        if len(module.lines) > MODULE_LINES:
            problems.append(f"{module.name} has {len(module.lines)} lines, {MODULE_LINES} at most")
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if (count := code_lines(node, module.lines)) > FUNCTION_LINES:
                problems.append(f"{module.name}:{node.lineno} {node.name} has {count} code lines")
    return problems


def write_package(root: Path, files: dict[str, str]) -> dict[str, Module]:
    package = root / "house"
    for name, text in {"__init__.py": "", **files}.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load(package)


def test_imports_point_down() -> None:
    """Every module stands on a layer, imports only lower ones, and no import comes back to where it began."""
    layers = read_layers((HERE / "layers.txt").read_text(encoding="utf-8"))
    modules = load(PACKAGE)
    assert modules
    assert import_problems(modules, layers, "stubwire") == []


def test_modules_and_functions_are_small() -> None:
    """No module is longer than 350 lines, no function longer than 40 code lines."""
    assert size_problems(load(PACKAGE)) == []


def test_an_import_of_the_same_layer_or_a_higher_one_is_found(tmp_path: Path) -> None:
    """In every spelling of an import, in a function, and in the `else` of a TYPE_CHECKING block."""
    modules = write_package(
        tmp_path,
        {
            "low.py": "def f():\n    import house.high\n",
            "side.py": "from house import low\n",
            "inner/__init__.py": "",
            "inner/deep.py": "from ..high import x\nfrom . import other\n",
            "inner/other.py": "if TYPE_CHECKING:\n    from house import high\nelse:\n    from house.high import y\n",
            "high.py": "import json\nfrom house import low\n",
        },
    )
    layers = read_layers("low side\ninner.other inner.deep # two\nhigh")
    assert import_problems(modules, layers, "house") == [
        "inner.deep imports high, which is not below it",
        "inner.deep imports inner.other, which is not below it",
        "inner.other imports high, which is not below it",
        "low imports high, which is not below it",
        "side imports low, which is not below it",
        "circle: high low",
    ]


def test_an_import_only_for_type_checkers_does_not_count(tmp_path: Path) -> None:
    modules = write_package(
        tmp_path,
        {
            "low.py": "import typing\nif typing.TYPE_CHECKING:\n    from house import high\n",
            "high.py": "import house.low",
        },
    )
    assert import_problems(modules, {"low": 0, "high": 1}, "house") == []


def test_a_module_without_a_layer_and_a_layer_without_a_module_are_found(tmp_path: Path) -> None:
    modules = write_package(tmp_path, {"a.py": ""})
    assert import_problems(modules, {"b": 0}, "house") == [
        "a stands on no layer",
        "layers.txt names b, which does not exist",
    ]


def test_a_circle_through_the_package_itself_is_found(tmp_path: Path) -> None:
    """A module that imports a public name from the package which itself imports that module."""
    modules = write_package(tmp_path, {"__init__.py": "from .a import x\n", "a.py": "from house import y\n"})
    assert import_problems(modules, {"a": 0}, "house") == ["circle: a house"]


def test_a_long_module_and_a_long_function_are_found(tmp_path: Path) -> None:
    """Blank lines, comments and the docstring of a function do not count; those of a module do."""
    fits = "def fits():\n    '''Says.'''\n\n    # why\n" + "    x = 1\n" * FUNCTION_LINES
    long = "async def long():\n" + "    x = 1\n" * (FUNCTION_LINES + 1)
    modules = write_package(tmp_path, {"a.py": fits + long, "b.py": "\n" * (MODULE_LINES + 1)})
    assert size_problems(modules) == [
        f"a:{len(fits.splitlines()) + 1} long has {FUNCTION_LINES + 1} code lines",
        f"b has {MODULE_LINES + 1} lines, {MODULE_LINES} at most",
    ]
