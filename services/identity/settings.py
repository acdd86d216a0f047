"""What an operator can set for identity."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field

from bookbag.chassis.settings import ServiceSettings


class IdentitySettings(ServiceSettings):
    """Settings of identity, from `BOOKBAG_IDENTITY_…`."""

    password_memory_kib: int = Field(
        47104, ge=8, le=1048576, description="Memory argon2id takes for one password, in KiB; low only in tests."
    )
    password_passes: int = Field(2, ge=1, le=10, description="Passes argon2id makes over that memory.")
    password_workers: int = Field(2, ge=1, le=16, description="Passwords hashed at one time in one process.")
    password_queue: int = Field(
        16, ge=0, le=1000, description="Sign-ins that may wait for that; the next one is told to come back (503)."
    )
    sign_in_tries_per_email: int = Field(10, ge=1, description="Failed sign-ins per e-mail in 15 minutes.")
    sign_in_tries_per_address: int = Field(
        50, ge=1, description="Sign-ins, failed or not, per client address in 15 minutes."
    )
    demo_policy: Path | None = Field(
        None, description="A policy document (YAML) with which demo schools are founded instead of their presets."
    )
    session_life: timedelta = Field(timedelta(days=30), description="How long a sign-in lasts at most.")
    session_idle: timedelta = Field(timedelta(days=14), description="How long a sign-in lasts without being used.")
