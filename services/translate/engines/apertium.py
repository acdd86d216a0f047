"""Apertium as warm local processes: translation without a network, good enough for a demonstration only (TR-3).

A pair's own pipeline (its `.mode` file) is started when first needed, kept warm, and ended when idle: measured on the
pair English-Spanish 0.12 s to start, 3 ms a line, 120 MB for each direction while it lives. Every stage answers each
NUL-terminated unit with one. A unit is one line, so lines survive; it begins with a blank that carries its number and
comes back in front of its answer, so that an answer can never be taken for another's.
"""

import asyncio
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from bookbag.school.languages import LANGUAGES
from services.translate.engines.port import EngineUnavailableError, PairUnsupportedError

MODES = Path("/usr/share/apertium/modes")
IDLE_AFTER = timedelta(seconds=120)
ANSWER_WITHIN = timedelta(seconds=20)
"""For one call, start-up included; 4,000 characters take well under a second on a quiet machine."""

Pair: TypeAlias = tuple[str, str]
Stage: TypeAlias = tuple[str, ...]

# The stages find their data by absolute path and read UTF-8 by their locale; nothing else of ours concerns them.
_ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
_STAGE_NAME = re.compile(r"[a-z][a-z0-9-]*")
_SHELL = frozenset("|&;<>()`$\n")
_UNIT_LIMIT = 4_194_304


class ModeUnusableError(ValueError):
    """A `.mode` file holds something else than plain commands joined by `|`."""


class _PipelineBrokenError(Exception):
    pass


class Apertium:
    """The engine over the Apertium pairs that are installed; belongs to the event loop that first uses it."""

    name = "apertium"
    for_demonstration_only = True

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        modes: Path = MODES,
        idle_after: timedelta = IDLE_AFTER,
        answer_within: timedelta = ANSWER_WITHIN,
    ) -> None:
        """`clock` gives seconds that never go back; by it a pipeline counts as idle."""
        self._clock = clock
        self._modes = modes
        self._idle_after = idle_after.total_seconds()
        self._answer_within = answer_within.total_seconds()
        self._pipelines: dict[Pair, _Pipeline] = {}
        self._installed: Mapping[Pair, tuple[Stage, ...]] = MappingProxyType({})
        self._installed_at: float | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def processes(self) -> tuple[int, ...]:
        """The ids of the processes that are warm now."""
        return tuple(process for pipeline in self._pipelines.values() for process in pipeline.processes)

    async def pairs(self) -> frozenset[Pair]:
        """What is installed; an installation during the run is found."""
        return frozenset(self._look_up())

    async def supports(self, source: str, target: str) -> bool:
        """Whether the direct pair is installed."""
        return (source, target) in self._look_up()

    async def translate(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        """Translate each text line by line, its lines and outer spaces kept. Callers of one pair take turns.

        The time limit counts from the caller's turn. A pipeline that fails is ended; the next call starts a new one.
        """
        stages = self._look_up().get((source, target))
        if stages is None:
            raise PairUnsupportedError(source, target)
        pipeline = self._pipelines.setdefault((source, target), _Pipeline(stages))
        async with pipeline.turn:
            whole = False
            try:
                async with asyncio.timeout(self._answer_within):
                    answers = [await pipeline.translate(text) for text in texts]
                whole = True
            except TimeoutError as late:
                raise EngineUnavailableError(self.name, "no answer in time") from late
            except (OSError, EOFError, _PipelineBrokenError) as broken:
                raise EngineUnavailableError(self.name, "its processes ended or answered out of turn") from broken
            finally:
                pipeline.last_used = self._clock()
                if not whole:
                    # Half an answer may be on its way, and the next caller must not read it.
                    await pipeline.end()
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._watch_for_idleness())
        return answers

    async def end_idle(self) -> int:
        """End the pipelines that nobody has used for the idle time; gives how many."""
        ended = 0
        for pipeline in self._pipelines.values():
            if pipeline.alive and not pipeline.turn.locked() and self._clock() - pipeline.last_used >= self._idle_after:
                async with pipeline.turn:
                    await pipeline.end()
                ended += 1
        return ended

    async def close(self) -> None:
        """End all pipelines, each after the call that is using it."""
        if self._watch is not None:
            self._watch.cancel()
        for pipeline in self._pipelines.values():
            async with pipeline.turn:
                await pipeline.end()

    async def _watch_for_idleness(self) -> None:
        while self.processes:
            await asyncio.sleep(self._idle_after / 4)
            await self.end_idle()

    def _look_up(self) -> Mapping[Pair, tuple[Stage, ...]]:
        changed_at = self._modes.stat().st_mtime if self._modes.is_dir() else None
        if changed_at is None or changed_at != self._installed_at:
            self._installed = MappingProxyType(_installed_in(self._modes) if changed_at is not None else {})
            self._installed_at = changed_at
        return self._installed


def stages_of(mode: str) -> tuple[Stage, ...]:
    """The commands of a `.mode` file, each made to answer NUL-terminated units, unknown words left unmarked.

    Never run by a shell: anything but plain commands joined by `|` raises `ModeUnusableError`.
    """
    lexer = shlex.shlex(mode.strip(), posix=True, punctuation_chars="|&;<>()")
    lexer.whitespace_split = True
    stages: list[list[str]] = [[]]
    for word in lexer:
        if word == "|":
            stages.append([])
        elif word == "$1":
            stages[-1].append("-n")
        elif word != "$2":
            stages[-1].append(word)
    for stage in stages:
        if not stage or not _STAGE_NAME.fullmatch(stage[0]) or any(_SHELL & set(word) for word in stage):
            raise ModeUnusableError("a mode file must hold plain commands joined by |")
    return tuple((stage[0], "-z", *stage[1:]) for stage in stages)


def _installed_in(modes: Path) -> dict[Pair, tuple[Stage, ...]]:
    """The pairs of the folder whose every stage can be run, under the best code each language has there."""
    found: dict[Pair, tuple[Stage, ...]] = {}
    by_code: dict[tuple[str, str], tuple[Stage, ...]] = {}
    for file in sorted(modes.glob("*-*.mode")):
        try:
            stages = stages_of(file.read_text(encoding="utf-8"))
        except (ModeUnusableError, OSError, ValueError):
            continue
        source, _, target = file.stem.partition("-")
        if all(shutil.which(stage[0], path=_ENVIRONMENT["PATH"]) for stage in stages):
            by_code[source, target] = stages
    for source in LANGUAGES:
        for target in LANGUAGES:
            codes = ((one, other) for one in source.apertium for other in target.apertium)
            stages = next((by_code[pair] for pair in codes if pair in by_code), None)
            if stages is not None and source.primary != target.primary:
                found[source.tag, target.tag] = stages
    return found


class _Pipeline:
    """The processes of one pair, joined by pipes. Whoever uses it holds `turn`."""

    def __init__(self, stages: tuple[Stage, ...]) -> None:
        self._stages = stages
        self._running: list[subprocess.Popen[bytes]] = []
        self._writer: asyncio.WriteTransport | None = None
        self._reader: asyncio.StreamReader | None = None
        self._reading: asyncio.ReadTransport | None = None
        self._numbers = count(1)
        self.turn = asyncio.Lock()
        self.last_used = 0.0

    @property
    def alive(self) -> bool:
        return bool(self._running) and all(process.poll() is None for process in self._running)

    @property
    def processes(self) -> tuple[int, ...]:
        return tuple(process.pid for process in self._running if process.poll() is None)

    async def translate(self, text: str) -> str:
        if not self.alive:
            await self.end()
            await self._start()
        parts = _LINE_ENDS.split(text)
        lines = {index: _Line(part, next(self._numbers)) for index, part in enumerate(parts) if _has_letters(part)}
        assert self._writer is not None
        assert self._reader is not None
        for line in lines.values():
            self._writer.write(line.unit)
        for index, line in lines.items():
            parts[index] = line.restored((await self._reader.readuntil(b"\0"))[:-1].decode("utf-8", "replace"))
        return "".join(parts)

    async def end(self) -> None:
        """End the processes at once; they hold nothing that could be lost."""
        if self._writer is not None:
            self._writer.abort()
        if self._reading is not None:
            self._reading.close()
        self._writer = self._reading = self._reader = None
        running, self._running = self._running, []
        for process in running:
            process.kill()
        await asyncio.to_thread(_reap, running)

    async def _start(self) -> None:
        self._running = await asyncio.to_thread(_started, self._stages)
        first, last = self._running[0].stdin, self._running[-1].stdout
        assert first is not None
        assert last is not None
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=_UNIT_LIMIT)
        self._reader = reader
        self._writer, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, first)
        self._reading, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), last)


def _started(stages: tuple[Stage, ...]) -> list[subprocess.Popen[bytes]]:
    running: list[subprocess.Popen[bytes]] = []
    try:
        for stage in stages:
            running.append(
                subprocess.Popen(
                    stage,
                    stdin=running[-1].stdout if running else subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env=_ENVIRONMENT,
                    # Ctrl-C is for the product, which ends its pipelines itself after the work in hand.
                    start_new_session=True,
                )
            )
            if len(running) > 1 and (joined := running[-2].stdout) is not None:
                joined.close()
    except OSError:
        for process in running:
            process.kill()
        _reap(running)
        raise
    return running


def _reap(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.wait()
        for end in (process.stdin, process.stdout):
            if end is not None:
                end.close()


_LINE_ENDS = re.compile("(\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])")
# Characters with a meaning in Apertium's stream; a backslash takes it from them.
_SPECIAL = re.compile(r"[\[\]{}^$/\\@<>]")
# Spaces that are more than one plain space travel in a blank, which Apertium hands on as it is; so does the tilde, by which it joins
# words and which it would swallow.
_ODD_SPACES = re.compile(r"[^\S ]\s*| \s+|~+")
# A blank around a full stop ends the sentence, so that the pipeline holds no word back.
_END = "[].[]"
_ANSWER = re.compile(r"\\(?P<escaped>.)|\[(?P<blank>(?:\\.|[^\]\\])*)\]|(?P<spaces> +)|(?P<plain>[^\\\[ ]+)", re.DOTALL)


class _Line:
    """One line on its way: how it is sent, and how its answer is read."""

    def __init__(self, line: str, number: int) -> None:
        core = line.strip()
        self._before, _, self._after = line.partition(core)
        self._head = f"[line {number}]"
        spaced = _ODD_SPACES.sub(lambda spaces: f"[{spaces[0]}]", _SPECIAL.sub(r"\\\g<0>", core))
        unit = f"{self._head}{spaced}{_END}".replace("\0", "\ufffd")
        self.unit = unit.encode("utf-8", "replace") + b"\0"

    def restored(self, answer: str) -> str:
        if not answer.startswith(self._head) or not answer.endswith(_END):
            raise _PipelineBrokenError
        return self._before + _plain(answer[len(self._head) : -len(_END)]).strip() + self._after


def _plain(answer: str) -> str:
    """Apertium's stream as text: escapes and blanks undone, and the double spaces closed where it dropped a word."""
    plain = ""
    for part in _ANSWER.finditer(answer):
        if part.lastgroup == "spaces":
            plain += "" if not plain or plain.endswith(" ") else " "
        else:
            plain += part[part.lastgroup or 0]
    return plain


def _has_letters(line: str) -> bool:
    return any(character.isalpha() for character in line)
