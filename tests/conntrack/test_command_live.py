"""The real ``conntrack`` and the real kernel beside ours (root and network namespaces; else skipped)."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator

import pytest

from tests.conntrack.real import NAMESPACE, SECONDS, Real, timeless
from tests.conntrack.sequences import Ours, Writer, difference

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def real() -> Iterator[Real]:
    if os.geteuid() or not shutil.which("conntrack") or not shutil.which("ip"):
        pytest.skip("needs root, ip and conntrack")
    with Real() as one:
        yield one


def test_generated_sequences(real: Real) -> None:
    assert not [text for number in range(9000, 9060) if (text := difference(number, real))]


def test_help_of_every_protocol(real: Real) -> None:
    for name in ("", "tcp", "udp", "udplite", "sctp", "dccp", "icmp", "icmpv6", "gre", "esp", "99"):
        argv = ["conntrack", "-h", *(["-p", name] if name else [])]
        assert Ours(0).run(argv) == real.run(argv), name


def events(lines: list[str]) -> list[str]:
    """Without the programs and the seconds, in no order: the kernel deletes in that of its table."""
    out = []
    for line in lines:
        kind, _, rest = line.strip().partition(" ")
        out.append(f"{kind} {timeless(re.sub(r' .USERSPACE..*', '', rest))}")
    return sorted(out)


def test_events_of_what_was_asked_for(real: Real) -> None:
    for number in range(9100, 9110):
        real.run(["conntrack", "-F"])
        real.account(0)
        ours = Ours(0)
        ours.core.record.wanted = True
        listener = subprocess.Popen(
            ["ip", "netns", "exec", NAMESPACE, "conntrack", "-E", "-b", "1000000"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert listener.stderr is not None and listener.stderr.readline().startswith("NOTICE")
        for argv in Writer(number).sequence():
            if argv[1] not in ("-F", "-U"):  # our record begins anew at -F; -U depends on the order of the table
                real.run(argv)
                ours.run(argv)
        listener.send_signal(signal.SIGINT)
        told = listener.communicate(timeout=SECONDS)[0].splitlines()
        assert events(told) == events(ours.run(["conntrack", "-E"]).stdout.splitlines()), f"sequence {number}"
