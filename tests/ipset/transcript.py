"""Transcripts of ``ipset``: what was asked, what the real program (7.17, on Linux 6.18) answered.

::

    # a remark
    $ ipset add a 10.0.0.1        a command, quoted as a shell would have it
    < add a 10.0.0.2              a line of its standard input
    Name: a                       a line of standard output
    ! ipset v7.17: ...            a line of standard error
    = 1                           the status

The commands of a file follow each other on the same sets; every ``create`` that lists its hash tells the initval,
and no answer tells time. ``python -m tests.ipset.transcript FILE...`` records the answers anew (root, namespaces).
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.answers import Answer

TRANSCRIPTS = Path(__file__).parent / "transcripts"
NAMESPACE = "ipsetrecord"
SECONDS = 30


@dataclass
class Exchange:
    """One command with its answer, as lines."""

    place: str
    argv: list[str]
    stdin: str
    answer: list[str]
    remarks: list[str]


def read(path: Path) -> Iterator[Exchange]:
    """The exchanges of a file."""
    now: Exchange | None = None
    remarks: list[str] = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("$ "):
            if now:
                yield now
            now, remarks = Exchange(f"{path.name}:{number}", shlex.split(line[2:]), "", [], remarks), []
        elif line.startswith("< ") and now:
            now.stdin += f"{line[2:]}\n"
        elif line.startswith("# ") or now is None:
            remarks.append(line)
        else:
            now.answer.append(line)
    if now:
        yield now


class Real:
    """The real program in a namespace of its own."""

    def __enter__(self) -> Real:
        subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["ip", "netns", "del", NAMESPACE], check=True)

    def run(self, argv: list[str], stdin: str) -> Answer:
        """Raises TimeoutExpired where ipset does not come back."""
        done = subprocess.run(
            ["ip", "netns", "exec", NAMESPACE, *argv],
            input=stdin.encode("utf-8", "surrogateescape"),
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        out, err = (data.decode("utf-8", "surrogateescape") for data in (done.stdout, done.stderr))
        return Answer(done.returncode, out, err)

    def empty(self) -> None:
        """No set is left."""
        for words in ("flush", "destroy"):  # lists hold on to their members until they are flushed
            self.run(["ipset", words], "")


def record(path: Path, real: Real) -> None:
    """Write a file anew with the real answers."""
    real.empty()
    out: list[str] = []
    for exchange in list(read(path)):
        answer = real.run(exchange.argv, exchange.stdin)
        out += [*exchange.remarks, f"$ {shlex.join(exchange.argv)}"]
        out += [f"< {line}" for line in exchange.stdin.splitlines()] + answer.lines()
    path.write_text("\n".join(out) + "\n")


if __name__ == "__main__":
    with Real() as ipset:
        for name in sys.argv[1:]:
            record(Path(name), ipset)
