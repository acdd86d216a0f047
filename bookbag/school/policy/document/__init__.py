"""The policy document of one school as plain frozen values (POL-2): one class a section, each field with the words that explain it.

The JSON Schema, the table in the docs, the checks and the values themselves all come from these classes. Fields without a
default must be written; the defaults are the cautious ones.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from bookbag.school.policy.document.conduct import Conduct, Retention, Review, Terms
from bookbag.school.policy.document.content import (
    Forms,
    Homework,
    Names,
    News,
    Notes,
    Photos,
    Points,
    Stories,
    Translation,
)
from bookbag.school.policy.document.families import Families, Guardians, Invitations, Pupils, YearEnd
from bookbag.school.policy.document.messages import Answers, Messages, Safety, Signposting
from bookbag.school.policy.document.people import Calendar, Lessons, School, Staff


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules of one school."""

    format: Annotated[Literal[1], "the form of this document; 1 is the only one there is"]
    school: Annotated[School, "who these rules belong to"]
    calendar: Annotated[Calendar, "when school is"]
    staff: Annotated[Staff, "the working day of staff, and what hangs on it"]
    lessons: Annotated[Lessons, "lesson time"] = Lessons()
    messages: Annotated[Messages, "messages between families and staff"] = Messages()
    answers: Annotated[Answers, "when staff answer, and what is promised"] = Answers()
    signposting: Annotated[Signposting, "matters that belong elsewhere"]
    safety: Annotated[Safety, "what happens when it is about a child's safety"]
    guardians: Annotated[Guardians, "how many guardians a child can have"] = Guardians()
    invitations: Annotated[Invitations, "how families come in"] = Invitations()
    families: Annotated[Families, "what the school does for families beyond messages"] = Families()
    pupils: Annotated[Pupils, "pupils' own sign-in"] = Pupils()
    points: Annotated[Points, "points"] = Points()
    stories: Annotated[Stories, "stories and portfolios"] = Stories()
    photos: Annotated[Photos, "photos and videos"] = Photos()
    names: Annotated[Names, "names of children in posts"] = Names()
    homework: Annotated[Homework, "homework and remote learning"] = Homework()
    news: Annotated[News, "news and documents"] = News()
    forms: Annotated[Forms, "forms and consent"] = Forms()
    translation: Annotated[Translation, "reading in one's own language"] = Translation()
    notes: Annotated[Notes, "what the school says of itself on its pages"] = Notes()
    conduct: Annotated[Conduct, "what happens when somebody does not keep to the rules"]
    terms: Annotated[Terms, "what everybody accepts before they come in"]
    year_end: Annotated[YearEnd, "the end of the year, and leavers"] = YearEnd()
    review: Annotated[Review, "when these rules are looked at again"]
    retention: Annotated[Retention, "how long things are kept"] = Retention()
