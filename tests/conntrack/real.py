"""The real ``conntrack`` in a network namespace of its own, and answers made comparable."""

from __future__ import annotations

import os
import re
import subprocess

from tests import answers

NAMESPACE = f"conntrack-{os.getpid()}"
SECONDS = 30


class Answer(answers.Answer):
    """Status, standard output, standard error."""

    def plain(self) -> tuple[int, list[str], str]:
        """Without what differs from run to run: time, ids, and the order of the kernel's table."""
        out = [timeless(line) for line in self.stdout.splitlines()]
        return self.rc, sorted(out), self.stderr


def timeless(line: str) -> str:
    """A line without what differs from run to run."""
    line = re.sub(r"^((?:ipv[46] +\d+ )?\w+ +\d+) (\d+) ", lambda m: f"{m[1]} {_near(m[2])} ", line)
    line = re.sub(r"<timeout>(\d+)<", lambda m: f"<timeout>{_near(m[1])}<", line)
    line = re.sub(r"^(-[AUD] -t) (\d+) ", lambda m: f"{m[1]} {_near(m[2])} ", line)
    return re.sub(r"id=\d+|<id>\d+</id>|portid=\d+(?: progname=\w+)?", "", line)


def _near(seconds: str) -> str:
    """Timeouts of the sequences are multiples of 100: what is left of one tells which."""
    return str(-(-int(seconds) // 100))


class Real:
    """The real program; its namespace tracks connections from the start, without accounting."""

    def __enter__(self) -> Real:
        subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["ip", "netns", "del", NAMESPACE], check=True)

    def run(self, argv: list[str], stdin: str = "") -> Answer:
        done = subprocess.run(
            ["ip", "netns", "exec", NAMESPACE, *argv],
            input=stdin.encode(), capture_output=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        return Answer(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def account(self, on: int) -> None:
        self.run(["sysctl", "-qw", f"net.netfilter.nf_conntrack_acct={on}"])
