"""Brings due mails to the post office: each is claimed by one process, its right proved again, marked, handed over, and written down.

`sending` and the attempt are committed before a mail leaves: whatever is killed, only the mail being handed over at that moment can
go twice, and then under the same Message-ID. A mail server that is slow holds up as many mails as it is given at once, no more:
rounds go on while it thinks.
"""

import asyncio
import secrets
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from uuid import UUID

import structlog
from opentelemetry.trace import SpanKind

from bookbag.chassis import faults, tracing
from bookbag.chassis.problems import DependencyAway
from bookbag.chassis.runtime import Runtime
from bookbag.directory import owners
from bookbag.school.content import ContentRef
from services.notify import store
from services.notify.actions import grace_of, hash_of_link
from services.notify.figures import deliveries, mail_time
from services.notify.mail.addresses import contacts
from services.notify.mail.letter import Broken, Letter, Post, write
from services.notify.mail.post import Handed, PostOffice
from services.notify.model import (
    Contact,
    DeliveryId,
    Mail,
    Reason,
    State,
    Step,
    step_after_refusal,
    step_before_sending,
    usable_address,
)  # fmt: skip
from services.notify.ringing import silent_until

log = structlog.get_logger()

CLAIM = timedelta(seconds=30)
"""How long a process has a delivery to itself; when it dies, others take over after that."""

AGAIN = timedelta(seconds=5)
"""When to look again after somebody who must be asked was away. No attempt is counted."""

TOKEN_BYTES = 16


class Rounds:
    """The mail rounds of one worker process."""

    def __init__(self, runtime: Runtime, office: PostOffice, *, at_once: int) -> None:
        self._runtime = runtime
        self._office = office
        self._at_once = at_once
        self._post = Post(runtime.platform.public_url, runtime.platform.mail_from)
        self._out: set[asyncio.Task[None]] = set()

    @property
    def holder(self) -> str:
        """The name under which this process claims."""
        return str(self._runtime.state.get("holder", f"{self._runtime.name} {id(self)}"))

    async def make(self) -> int:
        """Claim what is due and send it on its way, as far as hands are free. Does not wait for the mail server. Gives how many
        were claimed."""
        free = self._at_once - len(self._out)
        if free <= 0:
            return 0
        claimed = await store.claim_due(
            self._runtime.across_schools, self._runtime.clock.now(), free, self.holder, CLAIM
        )
        for school, mails in claimed.items():
            await self._sort(school, mails)
        return sum(len(mails) for mails in claimed.values())

    async def settle(self, seconds: float) -> None:
        """Wait for the mails that are on their way, at most so long; what is left is broken off and comes again."""
        if self._out:
            _, left = await asyncio.wait(self._out, timeout=seconds)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _sort(self, school: UUID, claimed: Sequence[DeliveryId]) -> None:
        """Put aside what does not go now; send the rest. Whoever must be asked and is away leaves all of them for later."""
        try:
            going = await self._going(school, claimed)
            with self._round(school, going):
                found = await contacts(self._runtime.peers, school, [mail.person for mail in going]) if going else {}
        except DependencyAway as away:
            await self._later(school, claimed, away)
            return
        for mail in going:
            contact = found.get(mail.person, Contact("", ""))
            task = asyncio.create_task(self._deliver(school, mail, contact), name="mail on its way")
            self._out.add(task)
            task.add_done_callback(self._back)

    async def _going(self, school: UUID, claimed: Sequence[DeliveryId]) -> list[Mail]:
        going: list[Mail] = []
        grace = grace_of(self._runtime)
        async with self._runtime.database.tenant(school) as tx:
            if not await store.copy_is_fresh(tx):
                raise DependencyAway("identity")
            for mail in await store.claimed_mails(tx, claimed, self.holder):
                silent = await silent_until(self._runtime, school, mail, tx.now)
                step = step_before_sending(mail, tx.now, grace, silent)
                if step is None:
                    going.append(mail)
                elif await store.take_step(tx, mail.delivery, self.holder, step):
                    self._count(step)
        return going

    async def _later(self, school: UUID, claimed: Sequence[DeliveryId], away: DependencyAway) -> None:
        log.warning("mails wait", service=self._runtime.name, dependency=away.name, count=len(claimed))
        async with self._runtime.database.tenant(school) as tx:
            await store.put_off(tx, claimed, self.holder, tx.now + AGAIN)

    def _back(self, task: asyncio.Task[None]) -> None:
        self._out.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Its claim ends by itself and another round takes it up.
            log.error("mail round failed", service=self._runtime.name, error=type(error).__name__, exc_info=error)
        self._runtime.signal("deliver")

    def _round(self, school: UUID, going: Sequence[Mail]) -> AbstractContextManager[object]:
        """What is asked once for many deliveries is a trace of its own, linked to what caused each; nothing where none has a trace."""
        causes = [mail.trace for mail in going if mail.trace]
        if not causes:
            return nullcontext()
        said = {"bookbag.channel": "email", "bookbag.school": str(school), "bookbag.count": len(going)}
        return tracing.span("notify", "mail round", links=causes, attributes=said, apart=True)

    async def _deliver(self, school: UUID, mail: Mail, contact: Contact) -> None:
        """One mail, as the late part of the trace that caused it."""
        said = {"bookbag.channel": "email", "bookbag.school": str(school)}
        with tracing.span("notify", "deliver email", parent=mail.trace, attributes=said, apart=True):
            await self._carry(school, mail, contact)

    async def _carry(self, school: UUID, mail: Mail, contact: Contact) -> None:
        address = usable_address(contact.address)
        if address is None:
            await self._write_down(school, mail, Step(State.CANCELLED, Reason.NO_ADDRESS))
            return
        try:
            allowed = await self._may_read(school, mail)
        except DependencyAway as away:
            await self._later(school, [mail.delivery], away)
            return
        if not allowed:
            await self._write_down(school, mail, Step(State.CANCELLED, Reason.NO_RIGHT))
            return
        letter = await self._seal(school, mail, address, contact.language)
        if letter is None:
            return
        handed = await self._hand_over(letter)
        await faults.reached(faults.AFTER_HAND_OVER, self._runtime.name)
        await self._write_down(school, mail, self._step_after(mail, handed))

    async def _may_read(self, school: UUID, mail: Mail) -> bool:
        """Asked of the content's owner; what is told to leaders is nobody's content, and that they still lead is asked anew anyway."""
        if mail.content is None:
            return True
        return await owners.may_read(self._runtime.peers, ContentRef(school, mail.kind, mail.content), mail.person)

    async def _seal(self, school: UUID, mail: Mail, address: str, language: str) -> Letter | None:
        """The last look, in the transaction that counts the attempt: seen, unsubscribed or without a right since the first look
        means that nothing goes."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        async with self._runtime.database.tenant(school) as tx:
            now = await store.claimed_mail_for_sending(tx, mail.delivery, self.holder)
            if now is None:
                return None
            silent = await silent_until(self._runtime, school, now, tx.now)
            step = step_before_sending(now, tx.now, grace_of(self._runtime), silent)
            if step is not None:
                await store.take_step(tx, mail.delivery, self.holder, step)
                self._count(step)
                return None
            await store.start_sending(tx, mail.delivery, CLAIM)
            broken = Broken(now.author_name, now.until, now.zone) if now.until is not None else None
            if broken is None:
                await store.keep_link(tx, hash_of_link(token), mail.person, mail.kind)
            return Letter(
                delivery=mail.delivery, to=address, wanted_language=language, school_name=now.school_name, thread=mail.thread,
                token=token, written_at=tx.now, broken=broken,
            )  # fmt: skip

    async def _hand_over(self, letter: Letter) -> Handed:
        began = time.perf_counter()
        with tracing.span("notify", "smtp hand-over", SpanKind.CLIENT) as span:
            handed = await self._office.hand_over(write(letter, self._post), letter.to)
            if handed.reason is not None:
                tracing.failed(span, handed.reason)
        away = handed.reason is Reason.SERVER_AWAY
        outcome = "taken" if handed.reason is None else "away" if away else "refused"
        mail_time.labels(outcome).observe(time.perf_counter() - began)
        return handed

    def _step_after(self, mail: Mail, handed: Handed) -> Step:
        if handed.reason is None:
            return Step(State.SENT, None)
        if handed.for_good:
            return Step(State.DEAD, handed.reason)
        return step_after_refusal(handed.reason, mail.attempts + 1, mail.counted_from, self._runtime.clock.now())

    async def _write_down(self, school: UUID, mail: Mail, step: Step) -> None:
        async with self._runtime.database.tenant(school) as tx:
            if await store.take_step(tx, mail.delivery, self.holder, step):
                self._count(step)

    def _count(self, step: Step) -> None:
        deliveries.labels("email", step.state, step.reason or "").inc()


def rounds_of(runtime: Runtime) -> Rounds:
    """The rounds of this process."""
    rounds: Rounds = runtime.state["rounds"]
    return rounds
