"""Who is in the demo schools; every name is invented."""

from collections.abc import Sequence
from dataclasses import dataclass

from bookbag.school.roles import Role

PASSWORD = "bookbag demo 2026"  # noqa: S105 - of invented people, written in the README
"""The password of every demo account that has an e-mail."""

STAFF_HOST = "staff.example"
FAMILY_HOST = "families.example"


@dataclass(frozen=True, slots=True)
class Adult:
    """A grown-up of the demo. `name` is how the school writes it; `children` are (name, relationship)."""

    name: str
    first_name: str
    email: str
    roles: tuple[Role, ...]
    language: str = "en"
    children: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DemoClass:
    """A class: its teacher by name, and its pupils."""

    name: str
    teacher: str
    pupils: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DemoSchool:
    """A whole invented school. `specialists` are (name, subject), for every class."""

    code: str
    name: str
    classes: tuple[DemoClass, ...]
    adults: tuple[Adult, ...]
    specialists: tuple[tuple[str, str], ...] = ()
    signing_in_pupils: tuple[str, ...] = ()
    policy_preset: str = "quiet-evenings"


def _staff(name: str, first_name: str, surname: str, *roles: Role) -> Adult:
    return Adult(name, first_name, f"{first_name}.{surname}@{STAFF_HOST}".lower(), roles)


def _guardian(name: str, email: str, language: str, *children: tuple[str, str]) -> Adult:
    return Adult(name, name.split()[0], f"{email}@{FAMILY_HOST}", (Role.GUARDIAN,), language, children)


CARMEN = _guardian(
    "Carmen García", "carmen.garcia", "es", ("Maya Reed García", "mother"), ("Tomás Reed García", "mother")
)

BRAMLEY_LANE = DemoSchool(
    code="BRLA",
    name="Bramley Lane Primary",
    classes=(
        DemoClass(
            "Oak",
            "Ms Hughes",
            (
                "Maya Reed García", "Sami Haddad", "Zofia Kowalska", "Ada Okafor", "Gwen Evans", "Noah Fletcher",
                "Priya Nair", "Leo Marchetti", "Isla Drummond", "Kofi Mensah", "Freya Lund", "Oliver Pryce",
            ),
        ),
        DemoClass(
            "Willow",
            "Mr Okafor",
            (
                "Tomás Reed García", "Hamza Khan", "Ruby Whitcombe", "Jack Treharne", "Mei Lin Zhou", "Amelia Stroud",
                "Yusuf Demir", "Elsie Barlow", "Dylan Ashworth", "Anika Rao", "Theo Lambert", "Niamh Gallagher",
            ),
        ),
    ),
    adults=(
        _staff("Ms Hughes", "Jo", "Hughes", Role.TEACHER),
        Adult(
            "Mr Okafor", "Daniel", f"daniel.okafor@{STAFF_HOST}", (Role.TEACHER, Role.GUARDIAN),
            children=(("Ada Okafor", "father"),),
        ),
        _staff("Ms Lindqvist", "Maja", "Lindqvist", Role.SPECIALIST),
        _staff("Ms Bell", "Hannah", "Bell", Role.ASSISTANT),
        _staff("Mrs Patel", "Meera", "Patel", Role.OFFICE),
        _staff("Mrs Rowe", "Susan", "Rowe", Role.LEADER),
        _staff("Mr Dunn", "Peter", "Dunn", Role.SAFEGUARDING),
        CARMEN,
        _guardian("Daniel Reed", "daniel.reed", "en", ("Maya Reed García", "father"), ("Tomás Reed García", "father")),
        _guardian("Cerys Evans", "cerys.evans", "cy", ("Gwen Evans", "mother")),
        _guardian("Layla Haddad", "layla.haddad", "ar", ("Sami Haddad", "mother")),
        _guardian("Ewa Kowalska", "ewa.kowalska", "pl", ("Zofia Kowalska", "mother")),
        _guardian("Ayesha Khan", "ayesha.khan", "ur", ("Hamza Khan", "mother")),
    ),
    specialists=(("Ms Lindqvist", "Art"),),
    signing_in_pupils=("Maya Reed García", "Sami Haddad"),
)  # fmt: skip

HAFOD_ROAD = DemoSchool(
    code="HAFO",
    name="Hafod Road Primary",
    classes=(DemoClass("Derwen", "Mr Pritchard", ("Lucía Reed García",)),),
    adults=(
        _staff("Mr Pritchard", "Gareth", "Pritchard", Role.TEACHER),
        Adult(
            CARMEN.name, CARMEN.first_name, CARMEN.email, CARMEN.roles, CARMEN.language,
            (("Lucía Reed García", "mother"),),
        ),
    ),
    policy_preset="shared-class-accounts",
)  # fmt: skip

SCHOOLS: Sequence[DemoSchool] = (BRAMLEY_LANE, HAFOD_ROAD)


def note_of(school: DemoSchool, name: str, role: Role) -> str:
    """A few words by which a visitor of the demo chooses among its people."""
    classes = {pupil: one.name for one in school.classes for pupil in one.pupils}
    adult = next((adult for adult in school.adults if adult.name == name), None)
    match role:
        case Role.GUARDIAN if adult is not None:
            relationship = adult.children[0][1] if adult.children else "guardian"
            children = " and ".join(f"{child.split()[0]} ({classes[child]})" for child, _ in adult.children)
            return f"{relationship.capitalize()} of {children}"
        case Role.TEACHER:
            return "Class teacher of " + " and ".join(one.name for one in school.classes if one.teacher == name)
        case Role.SPECIALIST:
            return " and ".join(subject for holder, subject in school.specialists if holder == name)
        case Role.PUPIL:
            return classes.get(name, "")
        case _:
            return {
                Role.ASSISTANT: "Teaching assistant", Role.OFFICE: "School office", Role.LEADER: "Head teacher",
                Role.SAFEGUARDING: "Safeguarding lead",
            }.get(role, "")  # fmt: skip
