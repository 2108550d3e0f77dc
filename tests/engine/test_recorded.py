"""The same as tests/kernel/test_regressions.py, against what the kernel showed when it was asked."""

from typing import Any

import pytest

from iptables_emu.scenario.compare import compared
from iptables_emu.scenario.emulate import emulate
from iptables_emu.scenario.format import Scenario
from tests.kernel.regressions import recorded, scenarios

RECORDED = recorded()


@pytest.mark.parametrize(("name", "scenario"), scenarios(), ids=[name for name, _ in scenarios()])
def test_emulator_sees_what_the_kernel_showed(name: str, scenario: Scenario) -> None:
    seen: dict[str, Any] = RECORDED[name]
    found = compared(seen, emulate, scenario)
    assert not found, "\n" + "\n".join(found)
