"""Errors with the texts and exit statuses of iptables.

The status numbers are those of ``xtables_exittype`` (include/xtables.h).
"""

from __future__ import annotations

from iptables_emu.options.problem import IptablesError, ParameterProblem

__all__ = ["Exit", "IptablesError", "OtherProblem", "ParameterProblem", "ResourceProblem", "TryHelp", "VersionProblem"]


class OtherProblem(IptablesError):
    """Anything else went wrong: status 1."""

    status = 1


class VersionProblem(IptablesError):
    """The kernel lacks something (an unknown table): status 3, with iptables' own advice behind it."""

    status = 3


class ResourceProblem(IptablesError):
    """The kernel refused, as iptables-nft reports it: status 4."""

    status = 4


class TryHelp(Exception):
    """Status 2 with only the "Try `iptables -h'" line, after ``text`` as it stands."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self.text = text


class Exit(Exception):
    """The program ends here; ``stderr`` and ``stdout`` are printed as they stand."""

    def __init__(self, status: int, stderr: str = "", stdout: str = "") -> None:
        super().__init__(status)
        self.status = status
        self.stderr = stderr
        self.stdout = stdout


def report(error: IptablesError, program: str, version: str, line: int | None) -> str:
    """What the program prints on stderr for ``error`` (``line``: input line of a restore, else None)."""
    text = f"{program} v{version}: {error.message}\n"
    if error.status == ParameterProblem.status:
        return text + try_help(program, line)
    if error.status == VersionProblem.status:
        return text + f"Perhaps {program} or your kernel needs to be upgraded.\n"
    return text


def try_help(program: str, line: int | None) -> str:
    """The last lines of every status 2."""
    where = f"Error occurred at line: {line}\n" if line is not None else ""
    return f"{where}Try `{program} -h' or '{program} --help' for more information.\n"
