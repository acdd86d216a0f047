"""Who may read, write and be told what in messages, said once more in plain Python, so that the product can be held against it."""

from dataclasses import dataclass, field

ROLE_OF_SEAT = {"class_teacher": "teacher", "specialist": "specialist", "office": "office", "leaders": "leader"}

Who = tuple[str, str]
"""A person in a role."""


@dataclass
class Roster:
    """Who is who, as facts that hold now."""

    members: set[Who] = field(default_factory=set)
    seats: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    holders: set[tuple[str, str]] = field(default_factory=set)
    enrolled: set[tuple[str, str]] = field(default_factory=set)
    links: dict[tuple[str, str], str] = field(default_factory=dict)
    threads: dict[tuple[str, str], list[Who]] = field(default_factory=dict)
    """Pupil and seat → the authors of its messages, in order."""
    joined: dict[tuple[str, tuple[str, str]], int] = field(default_factory=dict)
    """Link and thread → the first message it reads."""

    def first(self, who: Who, thread: tuple[str, str]) -> int | None:
        """The first message somebody may read, None when they may not read the thread."""
        (person, role), (pupil, seat) = who, thread
        if who not in self.members:
            return None
        if role == "guardian":
            link = self.links.get((pupil, person))
            return self.joined.get((link, thread)) if link is not None else None
        return 1 if (seat, person) in self.holders and ROLE_OF_SEAT[self.seats[seat][0]] == role else None

    def readers(self, thread: tuple[str, str], seq: int) -> set[Who]:
        return {who for who in self.members if (self.first(who, thread) or seq + 1) <= seq}

    def reads(self, who: Who) -> dict[tuple[str, str], list[int]]:
        """Every thread of somebody with the numbers of its messages that they may read."""
        first = {thread: self.first(who, thread) for thread in self.threads}
        return {t: list(range(n, len(self.threads[t]) + 1)) for t, n in first.items() if n is not None}

    def unread(self, who: Who) -> int:
        """Messages after the last one they wrote themselves; nobody in this world reads without writing."""
        wrote = {
            t: max((n for n, author in enumerate(by, 1) if author == who), default=0) for t, by in self.threads.items()
        }
        return sum(len([n for n in numbers if n > wrote[t]]) for t, numbers in self.reads(who).items())

    def contacts(self, who: Who) -> set[tuple[str, str]]:
        """Pupil and seat of everybody one may write to."""
        person, role = who
        if who not in self.members:
            return set()
        found = {(pupil, seat) for seat, (_, of) in self.seats.items() for pupil, school_class in self.enrolled
                 if of in (school_class, None)}  # fmt: skip
        if role == "guardian":
            return {(p, s) for p, s in found if (p, person) in self.links and self.seats[s][1] is not None}
        held = {seat for seat, holder in self.holders if holder == person}
        return {(p, s) for p, s in found if s in held and ROLE_OF_SEAT[self.seats[s][0]] == role}
