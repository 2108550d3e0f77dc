"""The kernel's tables of the matches: each has one, and each block is a ruleset that loads."""

import pytest

from iptables_emu.ext.registry import find_match, names
from iptables_emu.scenario.emulate import emulate
from tests.kernel.tables import HERE, scenarios

# matches without a table, and why
LEFT_OUT = {
    "ipvs": "a kernel without xt_ipvs: there is nothing to compare with",
    "rateest": "what it compares is an average over ticks of real time; scenarios/rateest.json keeps away from them",
}


def matches() -> list[str]:
    """The names of all matches, of either family."""
    found = [name for module in names("matches") for name in (module, module.replace("_", "-"))]
    return sorted({name for name in found if find_match(name, 4) or find_match(name, 6)})


def test_every_match_has_a_table_or_a_reason() -> None:
    tables = {path.stem for path in HERE.glob("*.k")}
    assert {name for name in matches() if name not in tables} == LEFT_OUT.keys()


@pytest.mark.parametrize("name", [name for name in matches() if name not in LEFT_OUT])
def test_a_match_is_asked_in_each_of_its_families(name: str) -> None:
    asked = set()
    for _, scenario in scenarios(HERE / f"{name}.k"):
        for family, rules in scenario["rulesets"].items():
            if any(f"-m {name} " in f"{rule} " for rule in rules):
                asked.add(int(family[-1]))
    assert asked == {family for family in (4, 6) if find_match(name, family)}


@pytest.mark.parametrize("name", [name for name in matches() if name not in LEFT_OUT])
def test_blocks_load(name: str) -> None:
    """A block that is refused would compare nothing."""
    for block, scenario in scenarios(HERE / f"{name}.k"):
        answer = emulate({**scenario, "steps": []})["load"]
        assert answer["rc"] == 0, f"{block}: {answer['stderr']}"
