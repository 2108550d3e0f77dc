"""The real program and the real kernel beside ours (root and network namespaces; else skipped)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from iptables_emu.scenario.compare import differences
from iptables_emu.scenario.emulate import emulate
from iptables_emu.scenario.kernel.runner import KernelRunner
from tests.ipset.scenarios import scenario
from tests.ipset.sequences import difference
from tests.ipset.test_ipset_transcripts import FILES
from tests.ipset.transcript import Real, read

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def real() -> Iterator[Real]:
    if os.geteuid() or not shutil.which("ipset") or not shutil.which("ip"):
        pytest.skip("needs root, ip and ipset")
    with Real() as one:
        yield one


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_transcripts_are_what_ipset_says(real: Real, path: Path) -> None:
    real.empty()
    for exchange in read(path):
        assert real.run(exchange.argv, exchange.stdin).lines() == exchange.answer, exchange.place


def test_generated_sequences(real: Real) -> None:
    assert not [text for number in range(40) if (text := difference(number, real))]


def test_packets_and_sets(runner: KernelRunner) -> None:
    for number in range(15):
        one = scenario(number)
        found = differences(runner.run(one), emulate(one), one)
        assert not found, f"scenario {number}\n" + "\n".join(found)
