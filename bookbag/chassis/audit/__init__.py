"""The record: who did what to whom, in which role and why. Written with the act itself, chained, anchored outside, read by few.

`writing` appends, `chain` says how entries hang together, `anchors` signs the heads and puts them into the object store, `reading` is what
the reading role sees, `verification` finds what was changed, removed, reordered or put in between.
"""

from bookbag.chassis.audit.writing import append

__all__ = ["append"]
