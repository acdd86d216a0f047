"""What notify counts of its deliveries, whichever way they go."""

from bookbag.chassis import measures

deliveries = measures.counter(
    "bookbag_deliveries_total",
    "Steps of deliveries: sent, waiting (put off), failed (tried again), cancelled, dead (given up on). On a live stream, each step"
    " that went out to a device.",
    "channel", "outcome", "reason",
)  # fmt: skip
mail_time = measures.histogram(
    "bookbag_mail_handover_duration_seconds",
    "Handing one mail to the mail server. Outcomes: taken, refused, away.",
    "outcome",
    bounds=measures.FAST,
)
for _outcome in ("taken", "refused", "away"):
    mail_time.labels(_outcome)  # a rate does not see a series begin, so each is there before it counts
