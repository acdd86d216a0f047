"""Pure judgements over a history and what was kept and told afterwards; each returns what is wrong, empty when nothing is."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from uuid import UUID

from tests.chaos.history import Kept, Outcome, Told, Write


def lost(writes: Iterable[Write], kept: Iterable[Kept]) -> list[str]:
    """R1: acknowledged writes that are not there."""
    there = {one.value for one in kept}
    return [write.value for write in writes if write.outcome is Outcome.OK and write.value not in there]


def doubled(kept: Iterable[Kept]) -> list[str]:
    """R2: values that are there more than once."""
    return [value for value, times in Counter(one.value for one in kept).items() if times > 1]


def invented(writes: Iterable[Write], kept: Iterable[Kept]) -> list[str]:
    """Messages nobody sent, or whose sending was refused."""
    sent = {write.value for write in writes if write.outcome is not Outcome.REFUSED}
    return [one.value for one in kept if one.value not in sent]


def out_of_order(writes: Iterable[Write], kept: Sequence[Kept]) -> list[str]:
    """R3: numbers with a gap, and writes of one client to one thread whose numbers do not follow their acknowledgements."""
    wrong: list[str] = []
    numbers: dict[str, list[int]] = defaultdict(list)
    for one in kept:
        numbers[one.thread].append(one.seq)
    for thread, seqs in numbers.items():
        if sorted(seqs) != list(range(1, len(seqs) + 1)):
            wrong.append(f"numbers of {thread} have a gap or a double")
    seq_of = {one.value: one.seq for one in kept}
    last: dict[tuple[int, str], int] = {}
    for write in sorted((write for write in writes if write.outcome is Outcome.OK), key=lambda write: write.began):
        seq = seq_of.get(write.value)
        if seq is None:
            continue
        if seq <= last.get((write.client, write.thread), 0):
            wrong.append(f"{write.value} stands before what its client sent earlier")
        last[write.client, write.thread] = seq
    return wrong


def untold(
    kept: Iterable[Kept], told: Iterable[Told], readers: Mapping[str, Set[str]], channels: Set[str]
) -> list[str]:
    """Messages that a reader of their thread was not told of on a channel."""
    given = {(one.person, one.channel, one.message) for one in told}
    return [
        f"{person} was not told of {one.value} by {channel}"
        for one in kept
        for person in readers.get(one.thread, ())
        for channel in channels
        if (person, channel, one.message) not in given
    ]


def told_twice(told: Iterable[Told]) -> list[str]:
    """R2: one person told of one message on one channel more than once."""
    given = Counter((one.person, one.channel, one.message) for one in told)
    return [
        f"{person} was told of {message} by {channel} {times} times"
        for (person, channel, message), times in given.items()
        if times > 1
    ]


def told_out_of_order(kept: Iterable[Kept], told: Iterable[Told]) -> list[str]:
    """R3 at the reader: messages of one thread told to one person in another order than their numbers."""
    place = {one.message: (one.thread, one.seq) for one in kept}
    last: dict[tuple[str, str, str], int] = {}
    wrong: list[str] = []
    for one in sorted(told, key=lambda one: one.number):
        if one.message not in place:
            continue
        thread, seq = place[one.message]
        if seq <= last.get((one.person, one.channel, thread), 0):
            wrong.append(f"{one.person} was told of number {seq} of {thread} too late")
        last[one.person, one.channel, thread] = seq
    return wrong


def unaccounted(told: Iterable[UUID], processed: Set[UUID], dead: Set[UUID]) -> list[str]:
    """R5: events that are neither processed nor a dead letter, or both."""
    wrong = [f"{event} is neither processed nor dead" for event in told if event not in processed and event not in dead]
    return wrong + [f"{event} is processed and dead" for event in processed & dead]


def handed_after_the_end(handed: Iterable[Told], ended: Mapping[str, float], at: Mapping[str, float]) -> list[str]:
    """R8: what was handed to a person after their right had ended. `ended` is by person, `at` by message handed."""
    return [
        f"{one.person} was handed {one.message} after their right had ended"
        for one in handed
        if one.person in ended and at[one.message] > ended[one.person]
    ]
