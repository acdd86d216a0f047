"""Rules about code that no linter has: each takes one parsed file and names the lines that break it."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("bookbag", "services")
EVERYTHING = ("bookbag", "services", "tools", "tests", "bench")

_SQL_CALLS = {"execute", "executemany", "fetch", "fetchrow", "fetchval", "cursor", "copy_from_query", "prepare"}
_TENANT_FOR_THE_SESSION = re.compile(
    r"\bset\s+(session\s+)?(?!local\b|constraints\b|transaction\b)bookbag\.", re.IGNORECASE
)
_SESSION_SETTING = re.compile(r"^\s*set\s+(?!local\b|constraints\b|transaction\b)\w", re.IGNORECASE)
_SET_CONFIG = re.compile(
    r"set_config\s*\(\s*'[^']*'\s*,(?:[^()]|\([^()]*\))*?,\s*(false|'f'|'off'|0)\s*\)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file."""

    path: str
    text: str
    tree: ast.Module

    @classmethod
    def of(cls, path: str, text: str) -> "Source":
        return cls(path, text, ast.parse(text))

    @property
    def is_test(self) -> bool:
        return "tests" in Path(self.path).parts or Path(self.path).name == "conftest.py"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, the sentence it stands for, and whether tests keep it too."""

    name: str
    sentence: str
    broken: Callable[[Source], Iterator[int]]
    for_tests: bool = False
    for_product: bool = True


def sources(*folders: str) -> Iterator[Source]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "_pb2" not in path.name and "__pycache__" not in path.parts:
                yield Source.of(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))


def breaks(rule: Rule, source: Source) -> list[str]:
    """Give `path:line` of every break, in order.

    A line may be let off by a comment beside it: `# may <rule>: <why it is safe here>`; for built SQL ruff's own
    `# noqa: S608 - <why it is safe here>` says the same.
    """
    if (source.is_test and not rule.for_tests) or (not source.is_test and not rule.for_product):
        return []
    lines = ["", *source.text.splitlines()]
    let_off = re.compile(
        rf"# may {rule.name}: \w+ \w+" + (r"|# noqa: S608 - \w+ \w+" * (rule.name == "string-built-sql"))
    )
    broken = sorted(set(rule.broken(source)))
    return [f"{source.path}:{line}" for line in broken if not any(map(let_off.search, lines[line - 1 : line + 2]))]


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _is_built(text: ast.expr) -> bool:
    match text:
        case ast.JoinedStr(values=values):
            return any(isinstance(value, ast.FormattedValue) for value in values)
        case ast.BinOp(op=ast.Mod()):
            return True
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            parts = (left, right)
            return any(_is_built(part) or not isinstance(part, ast.Constant | ast.BinOp) for part in parts)
        case ast.Call(func=ast.Attribute(attr="format" | "join" | "replace")):
            return True
    return False


def _string_built_sql(source: Source) -> Iterator[int]:
    # A name that was bound to a built string in the same function counts as built.
    for scope in ast.walk(source.tree):
        if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
            continue
        built = {
            target.id
            for node in ast.walk(scope)
            if isinstance(node, ast.Assign) and _is_built(node.value)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in _calls(scope):
            if not isinstance(call.func, ast.Attribute) or call.func.attr not in _SQL_CALLS or not call.args:
                continue
            text = call.args[0]
            if _is_built(text) or (
                isinstance(text, ast.Name) and text.id in built and not isinstance(scope, ast.Module)
            ):
                yield call.lineno


def _not_awaited_abort(source: Source) -> Iterator[int]:
    awaited = {id(node.value) for node in ast.walk(source.tree) if isinstance(node, ast.Await)}
    for call in _calls(source.tree):
        is_abort = isinstance(call.func, ast.Attribute) and call.func.attr in {"abort", "abort_with_status"}
        if is_abort and "context" in ast.unparse(call.func).lower() and id(call) not in awaited:
            yield call.lineno


def _session_tenant(source: Source) -> Iterator[int]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
            if _SET_CONFIG.search(text) or _TENANT_FOR_THE_SESSION.search(text):
                yield node.lineno
    for call in _calls(source.tree):
        if _called(call) in _SQL_CALLS and call.args:
            first = call.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and _SESSION_SETTING.match(first.value):
                yield call.lineno


def _background_tasks(source: Source) -> Iterator[int]:
    for node in ast.walk(source.tree):
        if (isinstance(node, ast.Name) and node.id == "BackgroundTasks") or (
            isinstance(node, ast.alias) and node.name.split(".")[-1] in {"BackgroundTasks", "BackgroundTask"}
        ):
            yield getattr(node, "lineno", 1)


def _silent_except(source: Source) -> Iterator[int]:
    broad = {"Exception", "BaseException"}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            is_broad = any(kind is None or (isinstance(kind, ast.Name) and kind.id in broad) for kind in kinds)
            does_nothing = all(
                isinstance(step, ast.Pass | ast.Continue)
                or (isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant))
                for step in node.body
            )
            if is_broad and does_nothing:
                yield node.lineno
        elif isinstance(node, ast.Call) and _called(node) == "suppress":
            yield from (node.lineno for kind in node.args if isinstance(kind, ast.Name) and kind.id in broad)


def _thread_sleep(source: Source) -> Iterator[int]:
    imported = any(
        isinstance(node, ast.ImportFrom) and node.module == "time" and any(name.name == "sleep" for name in node.names)
        for node in ast.walk(source.tree)
    )
    for call in _calls(source.tree):
        if ast.unparse(call.func) == "time.sleep" or (imported and ast.unparse(call.func) == "sleep"):
            yield call.lineno


def _unreasoned_skip(source: Source) -> Iterator[int]:
    marks = {"pytest.mark.skip", "pytest.mark.xfail"}
    reasoned = {
        id(call.func)
        for call in _calls(source.tree)
        if call.args or any(word.arg == "reason" for word in call.keywords)
    }
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in marks and id(node) not in reasoned:
            yield node.lineno


def _sql_outside_stores(source: Source) -> Iterator[int]:
    path = Path(source.path)
    if path.parts[0] != "services" or path.name == "store.py":
        return
    statement = re.compile(
        r"^\s*(select\s.+\sfrom|insert\s+into|update\s+\w+\s+set|delete\s+from|with\s+\w+\s+as)\b",
        re.IGNORECASE | re.DOTALL,
    )
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in documentation
            and statement.match(node.value)
        ):
            yield node.lineno


def _model_imports(source: Source) -> Iterator[int]:
    path = Path(source.path)
    if path.parts[0] != "services" or path.name != "model.py":
        return
    for node in ast.walk(source.tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""] if not node.level else []
        for name in names:
            top = name.split(".")[0]
            ours = name == "bookbag.school" or name.startswith("bookbag.school.")
            if not ours and not (top == "services" and name.split(".")[1] == path.parts[1]) and top not in PURE:
                yield getattr(node, "lineno", 1)


PURE = {
    "__future__", "abc", "bisect", "collections", "contextlib", "dataclasses", "datetime", "decimal", "difflib", "enum",
    "fractions", "functools", "hashlib", "hmac", "heapq", "html", "itertools", "json", "math", "operator", "re",
    "statistics", "string", "textwrap", "types", "typing", "unicodedata", "uuid", "zoneinfo",
}  # fmt: skip
"""What a model may import of the standard library: nothing that opens, waits, or asks the machine."""

RULES = (
    Rule("string-built-sql", "SQL is never built from strings: values are parameters", _string_built_sql),
    Rule("unawaited-abort", "context.abort is awaited: without it the handler goes on and answers", _not_awaited_abort),
    Rule(
        "session-tenant",
        "settings of a connection last one transaction: nothing is left for its next user",
        _session_tenant,
    ),
    Rule(
        "background-tasks",
        "promised work is a row or an event, not a task that dies with its process",
        _background_tasks,
    ),
    Rule("silent-except", "nothing catches Exception to go on silently", _silent_except, for_tests=True),
    Rule("thread-sleep", "time is moved or waited for, not slept", _thread_sleep, for_tests=True, for_product=False),
    Rule("unreasoned-skip", "no test is skipped without a reason", _unreasoned_skip, for_tests=True),
    Rule("sql-outside-stores", "in a service SQL lives in store.py", _sql_outside_stores),
    Rule("model-imports", "a model imports the shared kernel and pure standard library only", _model_imports),
)
