"""Say why something of rounds, the warehouse or a release stopped; see `enumerations.messages`."""

from __future__ import annotations

from enumerations.messages import Catalogue, Message, in_language, joined

__all__ = ["Message", "in_language", "joined", "message", "state_words"]

message = Catalogue("dtm")
"""Messages about rounds, the warehouse and releases."""


def state_words(status: str) -> Message:
    """Return a state of a round as it is said."""
    return message(f"state_{status}")
