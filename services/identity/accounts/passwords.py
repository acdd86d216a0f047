"""Checks passwords with argon2id, a few at a time, at the same cost whether or not there is an account.

Each check takes tens of mebibytes and milliseconds on purpose; unbounded, a rush of sign-ins would take the memory of the machine.
"""

import asyncio
import base64
import os
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from bookbag.chassis.problems import UNAVAILABLE, Problem
from services.identity.accounts.model import password_bytes

_SALT_BYTES, _HASH_BYTES = 16, 32


class Passwords:
    """Hashes and checks passwords in threads. One per process; `close` it."""

    def __init__(self, *, memory_kib: int, passes: int, workers: int, queue: int) -> None:
        self._hasher = PasswordHasher(
            time_cost=passes, memory_cost=memory_kib, parallelism=1, hash_len=_HASH_BYTES, salt_len=_SALT_BYTES
        )
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="argon2")
        self._room = workers + queue
        self._inside = 0
        self._nobody = _hash_of_nothing(memory_kib, passes)

    async def hash(self, password: str) -> str:
        """A new hash, with its parameters and salt inside. Raises Problem `unavailable` in a rush."""
        with self._place():
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, self._hasher.hash, password_bytes(password)
            )

    async def check(self, password: str, against: str | None) -> bool:
        """Whether a password belongs to a hash. None, for an unknown e-mail, costs the same and is never right. Raises Problem `unavailable` in a rush."""
        with self._place():
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, self._matches, against or self._nobody, password_bytes(password)
            )

    def is_outdated(self, password_hash: str) -> bool:
        """Whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        """Let checks at hand end; those that wait are given up."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    @contextmanager
    def _place(self) -> Generator[None]:
        if self._inside >= self._room:
            raise Problem(UNAVAILABLE, "too many people are signing in at this moment", retry_after=2)
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    def _matches(self, against: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(against, password)
        except (Argon2Error, InvalidHashError):
            return False


def _hash_of_nothing(memory_kib: int, passes: int) -> str:
    """A hash in good form that no password has: it is random, not computed, so making it costs nothing."""

    def part(size: int) -> str:
        return base64.b64encode(os.urandom(size)).decode().rstrip("=")

    return f"$argon2id$v=19$m={memory_kib},t={passes},p=1${part(_SALT_BYTES)}${part(_HASH_BYTES)}"
