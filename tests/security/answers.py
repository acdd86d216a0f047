"""What every refusal must be: a problem document under a declared code, and never a failure of ours."""

from typing import Any

from bookbag.chassis.problems import COMMON, INTERNAL
from bookbag.directory.problems import EVERYWHERE
from tests.security.matrix import ALL

DECLARED = {kind.code: kind.status for service in ALL for kind in (*COMMON, *EVERYWHERE, *service.refusals.values())}
"""Every public code and its status."""

UNSUBSCRIBE = "/notify/v1/unsubscribe/"
"""Pages for people, who get a page for a refusal too."""


def wrong_with(answer: Any, path: str = "") -> str:
    """What is wrong with an answer; empty when nothing is. Takes the answers of any HTTP client."""
    if answer.status_code < 400:
        return ""
    if answer.status_code >= 500:
        return f"a failure of ours: {answer.status_code} {answer.text[:200]}"
    kind = answer.headers.get("content-type", "")
    if UNSUBSCRIBE in path and answer.status_code == 404 and kind.startswith("text/html"):
        return ""
    if kind != "application/problem+json":
        return f"no problem document: {answer.status_code} {kind} {answer.text[:200]}"
    problem = answer.json()
    code = problem.get("code")
    if code not in DECLARED or code == INTERNAL.code:
        return f"a code nobody declared: {code}"
    if not (DECLARED[code] == answer.status_code == problem["status"] and problem["type"] == f"/problems/{code}"):
        return f"status {answer.status_code} does not belong to {code}"
    return "" if problem.get("title") else "no title"
