"""The real ``conntrack`` and the real kernel beside ours (root and network namespaces; else skipped)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.conntrack.real import Real
from tests.conntrack.sequences import Ours, difference

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
