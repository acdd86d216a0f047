"""What an operator sets for notify."""

from pydantic import Field

from bookbag.chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of notify (`BOOKBAG_NOTIFY_…`)."""

    mail_grace_seconds: float | None = Field(
        None, ge=0, le=3600,
        description="How long a mail waits for its person to see the item in the app; 20 s when empty, 5 s in a demo.",
    )  # fmt: skip
    mail_timeout_seconds: float = Field(
        10,
        gt=0,
        le=60,
        description="How long the mail server may take for each of its answers before a mail is tried again later.",
    )
    mails_at_once: int = Field(
        8, ge=1, le=64, description="Mails that one worker process hands to the mail server at the same time."
    )
