"""What a real program answered, as the transcripts and sequences compare it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Answer:
    """Status, standard output, standard error."""

    rc: int
    stdout: str
    stderr: str

    def lines(self) -> list[str]:
        return [*self.stdout.splitlines(), *(f"! {line}".rstrip() for line in self.stderr.splitlines()), f"= {self.rc}"]
