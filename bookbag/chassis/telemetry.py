"""Logs, traces and metrics of a process, set up once. Logs are JSON with an allow-list of fields: no body, no name, no address.

A field that is not on the list does not leave the process, so nobody can log a child's words by accident. Traces are made in
`tracing`, metrics are declared in `measures`.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO, cast

import structlog

from bookbag.chassis import measures, tracing
from bookbag.chassis.clock import new_id
from bookbag.chassis.settings import Listening, Platform

ALLOWED = frozenset({
    "event", "level", "timestamp", "logger", "service", "dependency", "error", "where", "job", "lease", "rpc", "route", "method",
    "status", "milliseconds", "trace_id", "school_id", "consumer", "count", "port", "kind", "channel", "outcome", "engine", "pair",
    "code", "seconds", "worker", "state", "event_id",
})  # fmt: skip
"""The fields a log line may have. `where` is file and line of an exception, never its message."""


def _allow(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    error = line.pop("exc_info", None)
    if isinstance(error, BaseException):
        line["where"] = _place_of(error)
        line.setdefault("error", type(error).__name__)
    for name in [name for name in line if name not in ALLOWED]:
        del line[name]
    return line


def _place_of(error: BaseException) -> str:
    """The last few places an exception passed, without its message, which may quote what people wrote."""
    places: list[str] = []
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        places.append(f"{code.co_filename.rpartition('site-packages/')[2].rpartition('/')[2]}:{step.tb_lineno}")
        step = step.tb_next
    return " > ".join(places[-6:])


def _trace_id(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    found = tracing.trace_id()
    if found is not None:
        line["trace_id"] = found
    return line


_KNOWN = (
    "Exception in ASGI application", "Task exception was never retrieved", "Future exception was never retrieved",
    "Resetting connection with an active transaction",
)  # fmt: skip
"""Beginnings of what libraries say that are worth reading and hold nothing else."""


class _Foreign(logging.Handler):
    """What libraries log: who said it, where, and the type of an error. Never the message beyond a known beginning: libraries put
    together what they say from what they were given, down to the text of somebody else's exception."""

    def emit(self, record: logging.LogRecord) -> None:
        said = next((known for known in _KNOWN if str(record.msg).startswith(known)), "library message")
        error = record.exc_info[1] if record.exc_info else None
        place = f"{record.filename}:{record.lineno}"
        structlog.get_logger().log(record.levelno, said, logger=record.name, where=place, exc_info=error)


def _end_in_words() -> None:
    """What ends a process or a thread unexpectedly is a line like any other: a traceback would quote the error's message."""

    def ended(error: BaseException | None, where: str) -> None:
        structlog.get_logger().critical("ended unexpectedly", kind=where, exc_info=error)

    def process(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            ended(error, "process")

    sys.excepthook = process
    sys.unraisablehook = lambda failure: ended(failure.exc_value, "clean-up")
    threading.excepthook = lambda failure: ended(failure.exc_value, "thread")


_volumes: set[Path] = set()


def _disk(what: Callable[[os.statvfs_result], int]) -> list[tuple[tuple[str, ...], float]]:
    found: list[tuple[tuple[str, ...], float]] = []
    for folder in _volumes:
        with suppress(OSError):
            volume = os.statvfs(folder)
            found.append(((), what(volume) * volume.f_frsize))
    return found


measures.shown(
    "bookbag_disk_free_bytes",
    "Room left where the data folder is; of the one-machine run.",
    read=lambda: _disk(lambda at: at.f_bavail),
)
measures.shown(
    "bookbag_disk_size_bytes",
    "Size of the volume the data folder is on; of the one-machine run.",
    read=lambda: _disk(lambda at: at.f_blocks),
)


class _Unfailing:
    """A stream that drops what cannot be written: a log on a full disk must not fail what it tells of."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def set_up(process: str, settings: Listening) -> None:
    """Set up this process. `process` is what it was started as (`serve`, `work`); each service in it names itself in its spans."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _trace_id,
            _allow,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Unfailing(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Foreign(level=logging.WARNING)], level=logging.WARNING, force=True)
    logging.captureWarnings(capture=True)
    _end_in_words()
    # A collector that is away is told of once, by `tracing`; the library would say it with each batch.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    _volumes.clear()
    if isinstance(settings, Platform) and settings.data is not None:
        _volumes.add(settings.data)
    tracing.set_up(process, str(new_id()), settings.otlp_endpoint, settings.trace_ratio)
