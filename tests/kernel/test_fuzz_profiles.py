"""What the fuzzer's profiles are about: no extension and no option may be forgotten."""

from __future__ import annotations

from importlib import import_module

import pytest

from iptables_emu.ext.api import Extension
from iptables_emu.ext.registry import names
from iptables_emu.scenario.emulate import emulate
from tests.kernel.fuzz.generate import generate
from tests.kernel.fuzz.options import UNDRAWN, missing
from tests.kernel.fuzz.pools import ABSENT, ACTING, MATCHES, TABLES
from tests.kernel.fuzz.values_pure import PURE
from tests.kernel.fuzz.values_state import STATE
from tests.kernel.fuzz.values_targets import TARGETS

VALUES = {**PURE, **STATE, **TARGETS}
DRAWN = {name for pool in (*MATCHES.values(), *ACTING.values()) for name in pool}
PROFILES = (*TABLES, "sets")


def extensions() -> list[type[Extension]]:
    """All, a name once for each family that has its own."""
    return [
        cls
        for kind in ("matches", "targets")
        for module in names(kind)
        for cls in import_module(f"iptables_emu.ext.{kind}.{module}").EXTENSIONS
    ]


def test_each_extension_is_drawn_or_it_is_said_why_not() -> None:
    known = {cls.NAME for cls in extensions()}
    assert DRAWN | ABSENT.keys() == known
    assert not DRAWN & ABSENT.keys()


@pytest.mark.parametrize("cls", extensions(), ids=lambda cls: f"{cls.NAME}-{cls.FAMILIES[0]}")
def test_each_option_has_values(cls: type[Extension]) -> None:
    if cls.NAME in DRAWN - {"set", "SET"}:  # sets.py has the values of these
        assert not set(missing(cls, VALUES[cls.NAME])) - set(UNDRAWN.get(cls.NAME, ()))


@pytest.mark.parametrize("profile", PROFILES)
def test_a_number_makes_the_same_scenario_and_it_runs(profile: str) -> None:
    for number in range(5):
        scenario = generate(profile, number)
        assert scenario == generate(profile, number)
        assert emulate(scenario)["load"]["rc"] in (0, 1, 2, 4)


@pytest.mark.parametrize("profile", TABLES)
def test_most_rulesets_are_taken(profile: str) -> None:
    refused = [number for number in range(40) if emulate(generate(profile, number))["load"]["rc"]]
    assert len(refused) < 10
