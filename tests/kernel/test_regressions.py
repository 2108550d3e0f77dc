"""Differences between kernel and emulator that were found once: they must not come back."""

from typing import Any

import pytest

from iptables_emu.scenario.compare import compared
from iptables_emu.scenario.emulate import emulate
from iptables_emu.scenario.format import Scenario
from iptables_emu.scenario.kernel.runner import KernelRunner
from tests.kernel.regressions import scenarios

pytestmark = pytest.mark.kernel


def cases() -> list[Any]:
    return [pytest.param(scenario, id=name) for name, scenario in scenarios()]


@pytest.mark.parametrize("scenario", cases())
def test_emulator_sees_what_the_kernel_sees(runner: KernelRunner, scenario: Scenario) -> None:
    found = compared(runner.run(scenario), emulate, scenario)
    assert not found, "\n" + "\n".join(found)
