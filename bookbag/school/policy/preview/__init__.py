"""What a policy means, for people: sentences, the reasons of decisions in words, the drawn week, and an answer explained in full."""

from bookbag.school.policy.preview.explain import Explained, explain
from bookbag.school.policy.preview.moments import hours_in_words, moment
from bookbag.school.policy.preview.say import describe, say, summary
from bookbag.school.policy.preview.sentences import Sentence, sentences
from bookbag.school.policy.preview.week import DrawnDay, drawn_week

__all__ = [
    "DrawnDay",
    "Explained",
    "Sentence",
    "describe",
    "drawn_week",
    "explain",
    "hours_in_words",
    "moment",
    "say",
    "sentences",
    "summary",
]
