"""The Apertium engine over the real processes: warm, in turn, ended when idle, never showing one text as another's."""

import asyncio
import contextlib
import os
import re
import select
import signal
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.translate.engines.apertium import Apertium, ModeUnusableError, stages_of
from services.translate.engines.port import EngineUnavailableError, PairUnsupportedError
from services.translate.masking import PlaceholdersBrokenError, mask
from tests.support.house import eventually

pytestmark = pytest.mark.req("TR-3")


async def test_both_directions_of_an_installed_pair_are_translated(apertium):
    assert await apertium.supports("en", "es")
    assert await apertium.translate(["The school is closed."], "en", "es") == ["La escuela está cerrada."]
    assert await apertium.translate(["La escuela está cerrada."], "es", "en") == ["The school is closed."]


async def test_a_pair_that_is_not_installed_is_unsupported(apertium):
    assert not await apertium.supports("en", "ur")
    with pytest.raises(PairUnsupportedError):
        await apertium.translate(["Hello"], "en", "ur")


async def test_without_apertium_there_are_no_pairs(tmp_path, clock):
    assert await Apertium(clock=clock, modes=tmp_path / "absent").pairs() == frozenset()


async def test_a_pair_installed_during_the_run_is_found(apertium_installed, tmp_path, clock):
    modes = tmp_path / "modes"
    engine = Apertium(clock=clock, modes=modes)
    assert not await engine.supports("en", "es")
    modes.mkdir()
    (modes / "eng-spa.mode").symlink_to("/usr/share/apertium/modes/eng-spa.mode")
    assert await engine.supports("en", "es")


async def test_a_mode_whose_programs_are_missing_is_no_pair(tmp_path, clock):
    (tmp_path / "eng-spa.mode").write_text("no-such-stage x | another-stage y")
    assert await Apertium(clock=clock, modes=tmp_path).pairs() == frozenset()


async def test_lines_and_outer_spaces_are_kept(apertium):
    text = "  Dear family,\n\nthe school is closed.\r\n\t- bring a coat  \n{0}\n"
    (answer,) = await apertium.translate([text], "en", "es")
    assert [line.strip() for line in answer.split("\n")] == [
        "Familia querida,",
        "",
        "La escuela está cerrada.",
        "- Traer una capa",
        "{0}",
        "",
    ]
    assert answer.startswith("  Fam")
    assert ".\r\n\t- " in answer
    assert "  \n{0}\n" in answer


async def test_unknown_words_are_shown_without_marks_and_stars_that_were_written_stay(apertium):
    (answer,) = await apertium.translate(["*Blorptastic* floccipend, see a/b [c] ^d$ @e <f> \\g"], "en", "es")
    assert answer.startswith("*Blorptastic* floccipend,")
    assert all(part in answer for part in ("/b", "[c]", "^d$", "@", "<f>", "\\g"))
    assert "#" not in answer


async def test_no_double_space_is_left_where_a_possessive_was_dropped(apertium):
    (answer,) = await apertium.translate(["{0}'s coat is here."], "en", "es")
    assert answer.startswith("{0} ")
    assert "  " not in answer


@pytest.mark.req("TR-4")
async def test_what_is_masked_survives_the_real_engine(apertium):
    text = "Maya's bag and Will's coat are in 4B. Please come at 15:30 on 3 May (https://a.example/x?y=1), £4.50 🎉"
    masked = mask(text, language="en", names=["Maya Patel", "Will Rose"])
    (answer,) = await apertium.translate([masked.text], "en", "es")
    restored = masked.restore(answer)
    for untouched in ("Maya", "Will", "4B", "15:30", "3 May", "https://a.example/x?y=1", "£4.50 🎉"):
        assert restored.count(untouched) == 1


async def test_many_callers_each_get_their_own_answer(apertium):
    texts = [f"Bring {{{number}}} coats." for number in range(40)]
    answers = await asyncio.gather(*(apertium.translate([text], "en", "es") for text in texts))
    for number, (answer,) in enumerate(answers):
        assert f"{{{number}}}" in answer


async def test_the_pipeline_stays_warm_between_calls_and_ends_when_idle(apertium, clock):
    await apertium.translate(["Hello"], "en", "es")
    warm = apertium.processes
    clock.seconds += 119
    await apertium.translate(["Hello"], "en", "es")
    assert apertium.processes == warm
    clock.seconds += 119
    assert await apertium.end_idle() == 0
    clock.seconds += 1
    assert await apertium.end_idle() == 1
    assert apertium.processes == ()
    assert not any(_exists(process) for process in warm)


async def test_idle_pipelines_are_ended_without_being_asked(apertium_installed, clock):
    engine = Apertium(clock=clock, idle_after=timedelta(milliseconds=20))
    await engine.translate(["Hello"], "en", "es")
    assert engine.processes
    clock.seconds += 1
    assert engine._watch is not None
    await asyncio.wait_for(engine._watch, 10)
    assert engine.processes == ()


async def test_a_pipeline_that_died_is_started_again(apertium):
    await apertium.translate(["Hello"], "en", "es")
    first = apertium.processes
    os.kill(first[3], signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):  # the event loop may have collected it already
        await asyncio.to_thread(os.waitid, os.P_PID, first[3], os.WEXITED | os.WNOWAIT)
    assert await apertium.translate(["The school is closed."], "en", "es") == ["La escuela está cerrada."]
    assert not set(first) & set(apertium.processes)
    assert not any(_exists(process) for process in first)


async def test_a_pipeline_that_dies_in_the_middle_of_a_call_is_unavailable_and_then_back(apertium):
    await apertium.translate(["Hello"], "en", "es")
    first, dying = apertium.processes[0], apertium.processes[5]
    os.kill(dying, signal.SIGSTOP)  # nothing gets through, so that the call cannot end before the kill
    before = _has_read(first)
    call = asyncio.create_task(apertium.translate(["The school is closed."] * 3_000, "en", "es"))

    async def in_the_middle() -> bool:
        return _has_read(first) > before

    await eventually(in_the_middle)
    os.kill(dying, signal.SIGKILL)
    with pytest.raises(EngineUnavailableError):
        await call
    assert await apertium.translate(["The school is closed."], "en", "es") == ["La escuela está cerrada."]


async def test_a_frozen_pipeline_is_given_up_in_time(apertium_installed, clock):
    engine = Apertium(clock=clock, answer_within=timedelta(seconds=1))
    await engine.translate(["Hello"], "en", "es")
    frozen = engine.processes
    os.kill(frozen[2], signal.SIGSTOP)
    with pytest.raises(EngineUnavailableError, match="in time"):
        await engine.translate(["Hello"], "en", "es")
    assert not any(_exists(process) for process in frozen)
    assert await engine.translate(["The school is closed."], "en", "es") == ["La escuela está cerrada."]
    await engine.close()


async def test_a_cancelled_call_leaves_nothing_for_the_next_caller(apertium):
    await apertium.translate(["Hello"], "en", "es")
    call = asyncio.create_task(apertium.translate(["A secret about a child."] * 50, "en", "es"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await apertium.translate(["The school is closed."], "en", "es") == ["La escuela está cerrada."]


async def test_nothing_is_left_running_after_close(apertium_installed, clock):
    engine = Apertium(clock=clock)
    await engine.translate(["Hello"], "en", "es")
    await engine.translate(["Hola"], "es", "en")
    processes = engine.processes
    assert len(processes) > 10
    await engine.close()
    assert not any(_exists(process) for process in processes)


@pytest.mark.parametrize(
    "mode",
    [
        "lt-proc a.bin; rm -rf x",
        "lt-proc a.bin | ",
        "lt-proc $(id)",
        "lt-proc `id`",
        "lt-proc a.bin > out",
        "/bin/sh -c id",
        "lt-proc a && b",
        "",
    ],
)
def test_a_mode_that_is_no_plain_pipeline_is_refused(mode):
    with pytest.raises(ModeUnusableError):
        stages_of(mode)


def test_a_mode_becomes_stages_that_answer_unit_by_unit():
    mode = "lt-proc '/a b/eng.bin' | apertium-tagger -g $2 '/x.prob' | lt-proc $1 '/gen.bin'\n"
    assert stages_of(mode) == (
        ("lt-proc", "-z", "/a b/eng.bin"),
        ("apertium-tagger", "-z", "-g", "/x.prob"),
        ("lt-proc", "-z", "-n", "/gen.bin"),
    )


odd_texts = st.lists(
    st.one_of(
        st.sampled_from(
            ["the child", "Maya", "Maya's", "15:30", "school", "\n", "\r\n", "\u2028", " ", "  ", "\t", "\xa0"]
        ),
        st.text(max_size=10),
        st.text(alphabet="[]{}^$/\\@<>*#+~|.'\0\u200f\u202e\ud800", max_size=8),
    ),
    max_size=25,
).map("".join)


MAYA = re.compile(r"(?<!\w)Maya(?!\w)")
"""The name by itself; letters that follow make it another word."""


@pytest.mark.req("TR-4")
async def test_a_tilde_is_no_glue(apertium):
    assert await apertium.translate(["the school~{0}~"], "en", "es") == ["La escuela~{0}~"]


@pytest.mark.req("TR-4")
def test_whatever_is_written_the_engine_answers_it_and_masks_hold_or_are_refused(apertium_installed, clock):
    engine = Apertium(clock=clock)
    runner = asyncio.Runner()
    refused = 0

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(odd_texts)
    def every_text(text: str) -> None:
        nonlocal refused
        masked = mask(text, language="en", names=["Maya Patel"])
        (answer,) = runner.run(engine.translate([masked.text], "en", "es"))
        assert len(answer.splitlines()) == len(masked.text.splitlines())
        try:
            restored = masked.restore(answer)
        except PlaceholdersBrokenError:
            refused += 1
        else:
            assert len(MAYA.findall(restored)) >= len(MAYA.findall(text))

    try:
        every_text()
    finally:
        runner.run(engine.close())
        runner.close()
    assert refused <= 15


def _has_read(process: int) -> int:
    """Characters that a process has read so far."""
    return int(Path(f"/proc/{process}/io").read_text().split()[1])


def _exists(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


_WORKER = """
import asyncio, time
from services.translate.engines.apertium import Apertium

async def work():
    engine = Apertium(clock=time.monotonic)
    await engine.translate(["Hello"], "en", "es")
    print(*engine.processes, flush=True)
    await asyncio.Event().wait()

asyncio.run(work())
"""


async def test_a_worker_that_is_killed_leaves_no_pipeline_behind(apertium_installed):
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", _WORKER, stdout=asyncio.subprocess.PIPE)
    assert worker.stdout is not None
    processes = [int(word) for word in (await worker.stdout.readline()).split()]
    assert len(processes) > 5
    watched = [os.pidfd_open(process) for process in processes]
    worker.kill()
    await worker.wait()
    for ended in watched:
        assert await asyncio.to_thread(select.select, [ended], [], [], 10) != ([], [], [])
        os.close(ended)
