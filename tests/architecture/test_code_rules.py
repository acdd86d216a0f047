"""Every rule of our own holds in the tree, and each turns red on a planted violation and stays green beside it."""

import pytest

from tests.architecture.code_rules import EVERYTHING, RULES, Rule, Source, breaks, sources

BY_NAME = {rule.name: rule for rule in RULES}

# rule, where the file would lie, what breaks it, what looks alike and is right
PLANTED = [
    ("string-built-sql", "services/a/store.py", 'await db.fetch(f"select {x}")', 'await db.fetch("select $1", x)'),
    ("string-built-sql", "services/a/store.py", 'db.execute("select %s" % x)', 'log.info("took %s" % x)'),
    ("string-built-sql", "services/a/store.py", 'db.fetchrow("select " + x)', 'db.fetchrow("select " + "1")'),
    ("string-built-sql", "services/a/store.py", 'db.fetchval("select {}".format(x))', "db.fetchval(SELECT_ONE, x)"),
    (
        "string-built-sql",
        "services/a/store.py",
        'async def f(db, x):\n    sql = f"select {x}"\n    await db.fetch(sql)',
        'async def f(db, x):\n    sql = "select $1"\n    await db.fetch(sql, x)',
    ),
    (
        "unawaited-abort",
        "services/a/rpc.py",
        "async def f(context):\n    context.abort(1, '')",
        "async def f(context):\n    await context.abort(1, '')",
    ),
    (
        "session-tenant",
        "services/a/store.py",
        "db.execute(\"select set_config('bookbag.school', $1, false)\", s)",
        "db.execute(\"select set_config('bookbag.school', $1, true)\", s)",
    ),
    (
        "session-tenant",
        "services/a/store.py",
        "db.execute(\"set bookbag.school = 'x'\")",
        "db.execute(\"set local bookbag.school = 'x'\")",
    ),
    ("session-tenant", "bookbag/chassis/a.py", "db.execute('SET role app')", "db.execute('SET LOCAL role app')"),
    ("background-tasks", "services/a/api.py", "from fastapi import BackgroundTasks", "from fastapi import APIRouter"),
    (
        "silent-except",
        "services/a/jobs.py",
        "try:\n    f()\nexcept Exception:\n    pass",
        "try:\n    f()\nexcept KeyError:\n    pass",
    ),
    (
        "silent-except",
        "services/a/jobs.py",
        "try:\n    f()\nexcept:\n    ...",
        "try:\n    f()\nexcept Exception:\n    log()",
    ),
    ("silent-except", "services/a/jobs.py", "with suppress(Exception):\n    f()", "with suppress(OSError):\n    f()"),
    ("thread-sleep", "services/a/tests/test_b.py", "import time\ntime.sleep(1)", "import time\ntime.monotonic()"),
    ("thread-sleep", "tests/e2e/test_b.py", "from time import sleep\nsleep(1)", "sleep = 1"),
    (
        "unreasoned-skip",
        "tests/test_b.py",
        "@pytest.mark.skip\ndef test(): ...",
        "@pytest.mark.skip('why')\ndef test(): ...",
    ),
    ("sql-outside-stores", "services/a/actions.py", "Q = 'select a from b'", "Q = 'Select a class'"),
    ("sql-outside-stores", "services/a/api.py", "Q = 'INSERT INTO b VALUES (1)'", "Q = 'Insert the key'"),
    ("model-imports", "services/a/model.py", "import socket", "import re"),
    (
        "model-imports",
        "services/a/model.py",
        "from bookbag.chassis.clock import Clock",
        "from bookbag.school.roles import Role",
    ),
    (
        "model-imports",
        "services/a/roster/model.py",
        "from services.b.model import X",
        "from bookbag.school import roles",
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_tree_keeps_the_rule(rule: Rule) -> None:
    broken = [line for source in sources(*EVERYTHING) for line in breaks(rule, source)]
    assert not broken, f"{rule.sentence}: {', '.join(broken)}"


@pytest.mark.parametrize(("name", "path", "bad", "good"), PLANTED, ids=lambda value: str(value)[:30])
def test_a_planted_violation_turns_the_rule_red(name: str, path: str, bad: str, good: str) -> None:
    assert breaks(BY_NAME[name], Source.of(path, bad)), "the violation was not seen"
    assert not breaks(BY_NAME[name], Source.of(path, good)), "what is right was refused"


def test_a_line_is_let_off_only_with_a_reason() -> None:
    rule = BY_NAME["string-built-sql"]
    line = 'db.execute(f"create role {name}")'
    assert not breaks(rule, Source.of("a.py", f"# may string-built-sql: names are constants of this file\n{line}"))
    assert breaks(rule, Source.of("a.py", f"# may string-built-sql:\n{line}"))
    assert breaks(rule, Source.of("a.py", f"# may silent-except: another rule entirely\n{line}"))


def test_every_rule_has_a_planted_violation() -> None:
    assert {name for name, *_ in PLANTED} == set(BY_NAME)
