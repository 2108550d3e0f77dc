"""The error that option parsing raises; kept apart so that extensions need nothing of the text layer."""

from __future__ import annotations

from typing import ClassVar


class IptablesError(Exception):
    """A failure that iptables reports as ``PROGRAM vVERSION: MESSAGE``."""

    status: ClassVar[int] = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ParameterProblem(IptablesError):
    """The command line is wrong: status 2."""

    status = 2
