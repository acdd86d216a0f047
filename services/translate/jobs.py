"""The timed work of translation."""

from datetime import timedelta

from bookbag.chassis.service import Job
from services.translate import actions

JOBS = (
    # Requests are claimed one by one, so every worker takes part; a new one wakes them at once.
    Job("translate_due", every=timedelta(seconds=2), run=actions.translate_due, alone=False, wake="translate:due"),
    Job("catch_up", every=timedelta(seconds=30), run=actions.catch_up),
    Job("forget_old_requests", every=timedelta(hours=1), run=actions.forget_old_requests),
)
