"""Messaging on one screen: what it serves, tells, knows and answers."""

from pathlib import Path

from bookbag import directory
from bookbag.chassis.migrate import CHASSIS
from bookbag.chassis.problems import FORBIDDEN, NOT_FOUND
from bookbag.chassis.service import Service
from bookbag.chassis.settings import ServiceSettings
from bookbag.directory import record
from bookbag.directory.figures import sample_feed_age
from bookbag.directory.projector import projector
from services.messaging import actions, api, events
from services.messaging.acts import Act
from services.messaging.content import rpc
from services.messaging.held import actions as held
from services.messaging.held import jobs
from services.messaging.held.refusals import NO_LONGER_HELD
from services.messaging.model import NoLongerHeld, NotForThisRole, NotYours, PupilsDoNotMessage

HERE = Path(__file__).parent

REACTS = {"guardianship": actions.note_guardianship, "policy_version": held.note_policy}
"""What it does when the access feed brings a newer fact of a kind."""

service = Service(
    name="messaging",
    settings=ServiceSettings,
    migrations=(("chassis", CHASSIS), directory.MIGRATIONS, ("messaging", HERE / "migrations")),
    routes=api.router,
    rpcs=[rpc.CONTENT_OWNER],
    tells=events.TELLS,
    records=[*Act, *record.ACTS],
    jobs=jobs.JOBS,
    loops={"projector": projector(REACTS)},
    restored=[directory.unheard],
    needs=[directory.has_heard],
    samples=[sample_feed_age],
    refusals={
        NotYours: NOT_FOUND,
        PupilsDoNotMessage: FORBIDDEN,
        NotForThisRole: FORBIDDEN,
        NoLongerHeld: NO_LONGER_HELD,
    },
)
