"""The house's own rules, as far as no linter knows them. CONTRIBUTING.md tells them in words."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1] / "scanpy_anim"
MODULES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in ROOT.rglob("*.py")
}
TREES = {name: ast.parse(text) for name, text in MODULES.items()}


def test_messages_stand_where_they_are_raised() -> None:
    """`raise X(f"...")`, never `msg = ...; raise X(msg)`."""
    apart = []
    for module, tree in TREES.items():
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                apart += [f"{module}: {name}" for name in _texts(function) & _raised(function)]
    assert apart == []


def _texts(function: ast.FunctionDef) -> set[str]:
    """Names of the strings that a function writes down."""
    return {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant | ast.JoinedStr)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _raised(function: ast.FunctionDef) -> set[str]:
    """Names that a function gives to the errors it raises."""
    return {
        argument.id
        for node in ast.walk(function)
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
        for argument in node.exc.args
        if isinstance(argument, ast.Name)
    }


def test_docstrings_quote_code_in_single_backticks() -> None:
    assert [name for name, text in MODULES.items() if "``" in text] == []


def test_color_has_one_spelling() -> None:
    files = [path for path in ROOT.rglob("*") if path.suffix in {".py", ".js", ".css"}]
    assert len(files) > len(MODULES)
    assert [path.name for path in files if "colour" in path.read_text("utf-8").lower()] == []


def test_imports_of_the_package_are_absolute_and_at_the_top() -> None:
    wrong = []
    for module, tree in TREES.items():
        late = {
            id(node)
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef)
            for node in ast.walk(function)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                own = (node.module or "").split(".")[0] == "scanpy_anim"
                if node.level or (own and id(node) in late):
                    wrong.append(f"{module}, line {node.lineno}")
    assert wrong == []


def test_nobody_reaches_for_another_modules_private_names() -> None:
    reached = [
        f"{module}: {node.module}.{alias.name}"
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("scanpy_anim.")
        for alias in node.names
        if re.match("_[^_]", alias.name) and not _is_module(f"{node.module}.{alias.name}")
    ]
    assert reached == []


def _is_module(dotted: str) -> bool:
    path = ROOT.joinpath(*dotted.split(".")[1:])
    return path.with_suffix(".py").exists() or path.is_dir()


def test_names_used_in_their_module_only_say_so() -> None:
    """A top-level name without underscore is used elsewhere in the package, or public."""
    used_in: dict[str, set[str]] = {}
    for module, text in MODULES.items():
        for word in set(re.findall(r"\w+", text)):
            used_in.setdefault(word, set()).add(module)
    lonely = [
        f"{module}: {name}"
        for module, tree in TREES.items()
        if re.match("_[^_]", Path(module).name)
        for name in _top_level(tree)
        if not name.startswith("_") and used_in[name] == {module}
    ]
    assert lonely == []


def _top_level(tree: ast.Module) -> list[str]:
    names: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign):
            names += [t.id for t in node.targets if isinstance(t, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.append(node.target.id)
    return names


def test_nobody_speaks_the_private_language() -> None:
    """Names of classes and modules are words that the field knows."""
    private = {"terrain", "way", "crew", "keep", "takeover", "recipe", "shade", "tint", "look"}
    private |= {"ink", "inks"}
    modules = {Path(module).stem.strip("_") for module in MODULES}
    classes = {
        node.name.strip("_").lower()
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    assert (modules | classes) & private == set()


def test_every_room_is_listed() -> None:
    """The docstring of each folder names each of its modules."""
    unlisted = [
        other
        for name, tree in TREES.items()
        if name.endswith("/__init__.py")
        for other in MODULES
        if Path(other).parent == Path(name).parent and other != name
        if f"`{Path(other).stem}`" not in (ast.get_docstring(tree) or "")
    ]
    assert unlisted == []


# rooms that are longer for what users read: docstrings of what is public
_LONG = {
    "pl/_animation.py": "the film's methods",
}


def test_no_room_is_longer_than_300_lines() -> None:
    """Docstrings of public functions may be more, where they are listed."""
    long = {name for name, text in MODULES.items() if text.count("\n") > 300}
    assert long - set(_LONG) == set()
    for name in long:
        assert MODULES[name].count("\n") - _lines_of_docstrings(TREES[name]) <= 300


def _lines_of_docstrings(tree: ast.Module) -> int:
    documented = [
        node.body[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node)
    ]
    return sum((text.end_lineno or 0) - text.lineno + 1 for text in documented)
