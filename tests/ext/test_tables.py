"""The lines of ``*.t`` (see tables.py).

A line passes when it does so in each chain, family and personality: OK means that ``-A`` takes the rule,
that it is saved as told and that ``-D`` finds it again; FAIL that ``-A`` refuses it.
"""

from __future__ import annotations

import shlex

import pytest

from iptables_emu.model.ruleset import Ruleset
from iptables_emu.text.programs import Environment, Result, run_program
from tests.ext.tables import CASES, Case


@pytest.mark.parametrize("case", CASES, ids=[f"{case.place} {case.rule}" for case in CASES])
def test_line(case: Case) -> None:
    for personality in case.personalities:
        for family in case.families:
            for chain in case.chains:
                check(case, Environment(Ruleset(personality)), family, chain)


def check(case: Case, env: Environment, family: int, chain: str) -> None:
    """One line in one chain of an empty ruleset."""
    where = f"{case.place} ({env.ruleset.personality}, IPv{family}, {chain})"
    added = run(env, family, case.table, f"-A {chain} {case.rule}")
    if not case.ok:
        assert added.rc != 0, f"{where}: was taken"
        return
    assert added.rc == 0, f"{where}: {added.stderr}"
    wanted = f"-A {chain} {case.saved}".rstrip()
    assert wanted in rules(env, family, case.table), f"{where}: not saved as told"
    deleted = run(env, family, case.table, f"-D {chain} {case.rule}")
    assert deleted.rc == 0, f"{where}: -D: {deleted.stderr}"
    assert not rules(env, family, case.table), f"{where}: still there"


def run(env: Environment, family: int, table: str, words: str) -> Result:
    return run_program([name_of(family), "-t", table, *shlex.split(words)], env)


def name_of(family: int) -> str:
    return "iptables" if family == 4 else "ip6tables"


def rules(env: Environment, family: int, table: str) -> list[str]:
    """The rule lines of the save."""
    saved = run_program([f"{name_of(family)}-save", "-t", table], env)
    return [line for line in saved.stdout.splitlines() if line.startswith("-A ")]
