"""Everything identity is, on one screen."""

from datetime import timedelta
from pathlib import Path

from bookbag.chassis import problems
from bookbag.chassis.migrate import CHASSIS
from bookbag.chassis.problems import ProblemKind
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.service import Job, Rpc, Service
from bookbag.chassis.tokens import UserSigner
from bookbag.directory import record
from bookbag.identity.v1.service_pb2_grpc import add_IdentityServiceServicer_to_server
from bookbag.school.policy.faults import PolicyRefused
from bookbag.school.policy.rules import WiderThanTheSchool
from bookbag.school.policy.versions import CannotCountInThePast
from services.identity import api, rpc
from services.identity.accounts import jobs, model
from services.identity.accounts.passwords import Passwords
from services.identity.accounts.store import end_every_session, join_accounts
from services.identity.acts import Act
from services.identity.feed import actions as feed
from services.identity.feed.store import tell_facts_again
from services.identity.policy import actions as policy
from services.identity.policy.api import POLICY_REFUSED
from services.identity.policy.drafts import DraftRefused, NothingDiffers
from services.identity.roster.model import EditedMeanwhile, InvalidRosterValue, NotOnRoster, RoleNotEntitled
from services.identity.settings import IdentitySettings
from services.identity.suspensions.jobs import end_due_suspensions
from services.identity.terms.model import SignatureMissing, TermsChanged

TERMS_CHANGED = ProblemKind("terms-changed", 409, "These are not the terms as they are now. Read them once more.")
NOTHING_DIFFERS = ProblemKind("nothing-differs", 409, "The rules say this already. Nothing was saved.")
WRONG_CREDENTIALS = ProblemKind("wrong-credentials", 401, "E-mail and password do not belong together. Try again.")


async def start(runtime: Runtime) -> None:
    """The password checker, and the signer where this process has the key."""
    settings: IdentitySettings = runtime.settings
    runtime.state["passwords"] = Passwords(
        memory_kib=settings.password_memory_kib,
        passes=settings.password_passes,
        workers=settings.password_workers,
        queue=settings.password_queue,
    )
    key = runtime.platform.signing_keys / "users.json"
    if key.exists():  # a worker signs in nobody and need not have it
        runtime.state["user_signer"] = UserSigner(key, runtime.clock)


async def stop(runtime: Runtime) -> None:
    """Let password checks at hand end."""
    passwords: Passwords = runtime.state["passwords"]
    passwords.close()


service = Service(
    name="identity",
    settings=IdentitySettings,
    migrations=(("chassis", CHASSIS), ("identity", Path(__file__).parent / "migrations")),
    routes=api.router,
    rpcs=[
        Rpc(
            name="bookbag.identity.v1.IdentityService",
            add=add_IdentityServiceServicer_to_server,
            servicer=rpc.Identity,
            callers=rpc.CALLERS,
        )
    ],
    records=[*Act, *record.ACTS],
    jobs=[
        Job("purge_ended_sessions", every=timedelta(hours=1), run=jobs.purge_ended_sessions),
        Job("found_missing_policies", every=timedelta(hours=1), run=policy.found_missing),
        Job("end_due_suspensions", every=timedelta(seconds=30), run=end_due_suspensions),
    ],
    loops={"sequencer": feed.sequence},
    restored=[end_every_session, join_accounts, tell_facts_again],
    shared={"account": "account_id in (select account_id from account_person where school_id = $1)"},
    refusals={
        model.WrongCredentials: WRONG_CREDENTIALS,
        model.SignedOut: problems.SIGNED_OUT,
        model.MembershipSuspended: problems.SUSPENDED,
        NotOnRoster: problems.NOT_FOUND,
        RoleNotEntitled: problems.FORBIDDEN,
        EditedMeanwhile: problems.EDIT_CONFLICT,
        TermsChanged: TERMS_CHANGED,
        SignatureMissing: problems.INVALID_INPUT,
        NothingDiffers: NOTHING_DIFFERS,
        DraftRefused: POLICY_REFUSED,
        CannotCountInThePast: problems.INVALID_INPUT,
        InvalidRosterValue: problems.INVALID_INPUT,
        PolicyRefused: problems.INVALID_INPUT,
        WiderThanTheSchool: problems.INVALID_INPUT,
    },
    start=start,
    stop=stop,
)
