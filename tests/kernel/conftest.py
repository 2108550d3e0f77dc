"""One runner for all tests that ask the kernel; they are skipped where it cannot be used."""

from collections.abc import Iterator

import pytest

from iptables_emu.scenario.kernel.runner import KernelRunner, unavailable


@pytest.fixture(scope="session")
def runner() -> Iterator[KernelRunner]:
    reason = unavailable()
    if reason:
        pytest.skip(reason)
    with KernelRunner() as one:
        yield one
