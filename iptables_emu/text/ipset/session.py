"""One run of ``ipset``: what has been read so far, and the report that its end prints (libipset: session.c, data.c)."""

from __future__ import annotations

from typing import Any

PROGRAM = "ipset v7.17"
NONE, WARNING, NOTICE, ERROR = range(4)


class Problem(Exception):
    """Something was reported: the run ends, or only the line in a batch that goes on."""


class Stop(Exception):
    """The program ends here."""

    def __init__(self, status: int, text: str = "") -> None:
        super().__init__(status)
        self.status, self.text = status, text


class Session:
    """``data`` holds the options of the line in hand; the others last for the whole run."""

    def __init__(self) -> None:
        self.data: dict[str, Any] = {}
        self.cadt: set[str] = set()  # nomatch, before, physdev, counters ...: flags that are no options of their own
        self.ignored: set[str] = set()
        self.setname = self.setname2 = ""
        self.kind = ""
        self.family = 0
        self.lineno = 0
        self.report, self.level = "", NONE
        self.quiet = self.exist = self.sorted = self.names_only = self.terse = False
        self.output = ""
        self.filename: str | None = None

    def reset(self) -> None:
        """Forget the line."""
        self.data.clear()
        self.cadt.clear()
        self.ignored.clear()
        self.setname = self.setname2 = self.kind = ""
        self.family = 0

    def tell(self, level: int, text: str) -> None:
        """Add to the report; what is worse replaces what is milder."""
        if NONE < self.level < level:
            self.report = ""
        if self.lineno and level == ERROR:
            self.report = f"Error in line {self.lineno}: "
        self.report += f"{text}\n"
        self.level = level
        if level == ERROR:
            self.reset()

    def error(self, text: str) -> Problem:
        self.tell(ERROR, text)
        return Problem(text)

    def syntax(self, text: str) -> Problem:
        return self.error(f"Syntax error: {text}")

    def warn(self, text: str) -> None:
        self.tell(WARNING, text)

    def forget_report(self) -> None:
        self.report, self.level = "", NONE

    def warning_as_error(self) -> Problem:
        self.level = ERROR
        self.reset()
        return Problem(self.report)

    # -- ends ------------------------------------------------------------------------------------

    def end(self) -> Stop:
        """How a run ends that has something to report (default_standard_error)."""
        if self.level == ERROR:
            return Stop(1, "" if self.quiet else f"{PROGRAM}: {self.report}")
        text = "" if self.quiet or self.level == NONE else ("Warning: " if self.level == WARNING else "") + self.report
        return Stop(0 if self.level <= WARNING else 1, text)

    def parameter(self, text: str) -> Stop:
        """The words make no sense."""
        return Stop(2, "" if self.quiet else f"{PROGRAM}: {text}\nTry `ipset help' for more information.\n")

    def other(self, text: str) -> Stop:
        return Stop(1, "" if self.quiet else f"{PROGRAM}: {text}\n")
