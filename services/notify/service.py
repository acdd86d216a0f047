"""Everything notify is, on one screen."""

from email.utils import parseaddr
from pathlib import Path

from bookbag import directory
from bookbag.chassis.migrate import CHASSIS
from bookbag.chassis.problems import EDIT_CONFLICT, FORBIDDEN
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.service import Service
from bookbag.directory.figures import sample_feed_age
from bookbag.directory.projector import projector
from services.notify import api, events, glass, jobs, ringing, store
from services.notify.live import LiveDesk
from services.notify.mail.post import SmtpPostOffice
from services.notify.mail.rounds import Rounds, rounds_of
from services.notify.model import OfficeOnly, PreferenceChanged
from services.notify.settings import Settings

REACTS = {
    "policy_version": ringing.note_policy,
    "own_hours": ringing.note_own_hours,
    "break_glass": glass.tell_leaders,
}
"""What it does when the access feed brings a newer fact of a kind."""


async def start(runtime: Runtime) -> None:
    """Every process has a desk of live streams and can make mail rounds; only workers are told to."""
    settings: Settings = runtime.settings
    platform = runtime.platform
    office = SmtpPostOffice.at(
        platform.smtp_url.get_secret_value(),
        sender=parseaddr(platform.mail_from)[1],
        seconds=settings.mail_timeout_seconds,
    )
    runtime.state["live"] = LiveDesk()
    runtime.state["rounds"] = Rounds(runtime, office, at_once=settings.mails_at_once)


async def stop(runtime: Runtime) -> None:
    """Let the mails that are on their way arrive."""
    await rounds_of(runtime).settle(5)


service = Service(
    name="notify",
    settings=Settings,
    migrations=(
        ("chassis", CHASSIS),
        directory.MIGRATIONS,
        ("notify", Path(__file__).parent / "migrations"),
    ),
    routes=api.router,
    hears=events.HEARS,
    jobs=jobs.JOBS,
    loops={"projector": projector(REACTS)},
    restored=[directory.unheard, store.leave_mails_that_left, store.hold_mails_back],
    needs=[directory.has_heard],
    samples=[sample_feed_age],
    refusals={OfficeOnly: FORBIDDEN, PreferenceChanged: EDIT_CONFLICT},
    start=start,
    stop=stop,
)
