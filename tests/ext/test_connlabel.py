"""connlabel: iptables says each time it prints such a rule that there is no table of names."""

from __future__ import annotations

import pytest

from iptables_emu.ext.matches.connlabel import NO_FILE
from iptables_emu.model.ruleset import Ruleset
from iptables_emu.text.programs import Environment, run_program


@pytest.mark.parametrize(
    ("command", "times"),
    [
        ("iptables -S", 2),
        ("iptables -L", 2),
        ("iptables -S INPUT 1", 1),
        ("iptables -L INPUT 2", 1),
        ("iptables-save", 2),
    ],
)
@pytest.mark.parametrize("personality", ["nft", "legacy"])
def test_remark(command: str, times: int, personality: str) -> None:
    env = Environment(Ruleset(personality))
    for label in ("40", "41"):
        assert run_program(["iptables", "-A", "INPUT", "-m", "connlabel", "--label", label], env).rc == 0
    assert run_program(command.split(), env).stderr == NO_FILE * times
