"""Asks a local server one plain question over HTTP: the supervisor needs readiness, not an HTTP library."""

import socket
from dataclasses import dataclass

from bookbag.local.ports import LOOPBACK


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


def get(port: int, path: str, *, timeout: float = 2.0) -> Answer | None:
    """GET by HTTP/1.0 on loopback. None when nobody answers in time, or not in HTTP."""
    request = f"GET {path} HTTP/1.0\r\nHost: {LOOPBACK}:{port}\r\nAccept: application/json\r\n\r\n"
    received = bytearray()
    try:
        with socket.create_connection((LOOPBACK, port), timeout) as connection:
            connection.sendall(request.encode())
            while chunk := connection.recv(65_536):
                received += chunk
    except OSError:
        return None
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        return None
    return Answer(int(words[1]), body)


def is_ready(port: int) -> bool:
    """Whether the process behind the port says it can serve (`GET /readyz` answers 200)."""
    answer = get(port, "/readyz")
    return answer is not None and answer.status == 200
