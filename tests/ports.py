"""Find a port for a server of a test."""

from __future__ import annotations

import secrets
import socket

LOWEST = 20_000
COUNT = 10_000
"""Below the ports that the system gives to outgoing connections: none of those takes it before the server does."""


def free_port() -> int:
    """Return a port of this machine that nobody listens on, unlikely to be drawn by another test at the same time."""
    while True:
        port = LOWEST + secrets.randbelow(COUNT)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
