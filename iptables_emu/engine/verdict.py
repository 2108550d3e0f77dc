"""What a rule can decide."""

from __future__ import annotations

from enum import Enum


class Verdict(Enum):
    """The end of a table's traversal (netfilter's NF_* numbers have these names)."""

    ACCEPT = "accept"
    DROP = "drop"
    STOLEN = "stolen"
    QUEUE = "queue"
    UNKNOWN = "unknown"  # cannot be known from packet and host: never guessed


class Flow(Enum):
    """The traversal goes on."""

    CONTINUE = "continue"
    RETURN = "return"


Outcome = Verdict | Flow
