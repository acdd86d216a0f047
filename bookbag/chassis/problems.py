"""The refusals that any service may give, as RFC 9457 problem documents with permanent codes.

A service adds its own kinds in its manifest; `Problem` is what rules raise when they speak HTTP themselves, while errors of
a `model.py` are mapped to kinds by the manifest's one table.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import grpc


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One stable public error. `code` never changes its meaning; `title` tells the reader what to do next."""

    code: str
    status: int
    title: str
    grpc_code: grpc.StatusCode = grpc.StatusCode.INVALID_ARGUMENT


INVALID_INPUT = ProblemKind("invalid-input", 422, "Something in the request is not as it must be; the detail names it.")
MALFORMED = ProblemKind("malformed", 400, "The request cannot be read. Send UTF-8 JSON.")
TOO_LARGE = ProblemKind("too-large", 413, "The request is larger than this place accepts; the limit is given.")
UNSUPPORTED_MEDIA_TYPE = ProblemKind("unsupported-media-type", 415, "Send this as application/json.")
NOT_FOUND = ProblemKind("not-found", 404, "There is nothing here for you.", grpc.StatusCode.NOT_FOUND)
METHOD_NOT_ALLOWED = ProblemKind("method-not-allowed", 405, "This address does not answer that method.")
SIGNED_OUT = ProblemKind("signed-out", 401, "Sign in again.", grpc.StatusCode.UNAUTHENTICATED)
SUSPENDED = ProblemKind(
    "suspended", 403, "Your access is suspended. The school can tell you why.", grpc.StatusCode.PERMISSION_DENIED
)
FORBIDDEN = ProblemKind("forbidden", 403, "Your role does not allow this.", grpc.StatusCode.PERMISSION_DENIED)
KEY_MISSING = ProblemKind("key-missing", 400, "Send an Idempotency-Key header, so that a retry is safe.")
KEY_MALFORMED = ProblemKind("key-malformed", 400, "An Idempotency-Key has 8 to 64 letters, digits, - or _.")
KEY_REUSED = ProblemKind(
    "key-reused", 409, "This Idempotency-Key was used for something else. Take a new one.", grpc.StatusCode.ABORTED
)
PRECONDITION_MISSING = ProblemKind("precondition-missing", 428, "Send If-Match with the ETag you read last.")
EDIT_CONFLICT = ProblemKind(
    "edit-conflict", 412, "Somebody changed this meanwhile. Read it again.", grpc.StatusCode.ABORTED
)
TOO_MANY_REQUESTS = ProblemKind(
    "too-many-requests", 429, "Too many tries. Wait as long as Retry-After says.", grpc.StatusCode.RESOURCE_EXHAUSTED
)
ACCESS_UNKNOWN = ProblemKind(
    "access-unknown",
    503,
    "The service cannot be sure who may do what just now. Nothing was changed; try again shortly.",
    grpc.StatusCode.UNAVAILABLE,
)
UNAVAILABLE = ProblemKind(
    "unavailable", 503, "A part of the service is away for a moment. Try again shortly.", grpc.StatusCode.UNAVAILABLE
)
STORAGE_FULL = ProblemKind(
    "storage-full",
    503,
    "There is no room left to save this. Nothing was changed; it can be sent again once there is room.",
    grpc.StatusCode.UNAVAILABLE,
)
INTERNAL = ProblemKind(
    "internal", 500, "Something went wrong on our side. It has been noted.", grpc.StatusCode.INTERNAL
)

COMMON = (
    INVALID_INPUT, MALFORMED, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, NOT_FOUND, METHOD_NOT_ALLOWED, SIGNED_OUT, SUSPENDED,
    FORBIDDEN, KEY_MISSING, KEY_MALFORMED, KEY_REUSED, PRECONDITION_MISSING, EDIT_CONFLICT, TOO_MANY_REQUESTS,
    ACCESS_UNKNOWN, UNAVAILABLE, STORAGE_FULL, INTERNAL,
)  # fmt: skip


class Problem(Exception):
    """A refusal on its way to the caller. `extra` joins the problem document; `retry_after` is in whole seconds."""

    def __init__(
        self,
        kind: ProblemKind,
        detail: str = "",
        *,
        retry_after: int | None = None,
        extra: Mapping[str, str | int] | None = None,
    ) -> None:
        super().__init__(kind.code)
        self.kind = kind
        self.detail = detail
        self.retry_after = retry_after
        self.extra: dict[str, str | int] = dict(extra or {})

    def document(self) -> dict[str, str | int]:
        """The problem document: type, title, status, code, and what this one adds."""
        body: dict[str, str | int] = {
            "type": f"/problems/{self.kind.code}",
            "title": self.kind.title,
            "status": self.kind.status,
            "code": self.kind.code,
        }
        if self.detail:
            body["detail"] = self.detail
        if self.retry_after is not None:
            body["retry_after"] = self.retry_after
        return body | self.extra


class DependencyAway(Exception):
    """Something a call needs does not answer. It becomes 503 with Retry-After for people and a later retry for events."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class StorageFull(DependencyAway):
    """What a call needs answers, and has no room to keep anything. It goes on by itself once there is room."""


class NoEntry(DependencyAway):
    """What a call needs answers, and will not have us or is not trusted by us: somebody must put it right. `why` goes on from its name;
    `do` says what to put right."""

    def __init__(self, name: str, why: str, do: str) -> None:
        super().__init__(f"{name}, which {why}")
        self.sentence = f"{name} {why}. {do}"
        self.why = why
        self.do = do
