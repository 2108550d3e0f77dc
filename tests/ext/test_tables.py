"""Every line of ``*.t`` beside this file: a rule, what iptables-save makes of it, whether it is taken.

::

    # a comment
    :INPUT,FORWARD            chains for the lines that follow
    *mangle                   their table (filter at first)
    @6                        their family; without such a line the families that have the extension
    rule ; saved ; OK|FAIL    "=" is saved as written; of a FAIL nothing is saved

A line passes when it does so in each chain, family and personality: OK means that ``-A`` takes the rule,
that it is saved as told and that ``-D`` finds it again; FAIL that ``-A`` refuses it. A last field ``nft`` or
``legacy`` keeps a line to that personality. A file's name is the extension's; a target's is in capitals.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from iptables_emu.ext.registry import find_match, find_target
from iptables_emu.model.ruleset import Ruleset
from iptables_emu.text.programs import Environment, Result, run_program

HERE = Path(__file__).parent
PERSONALITIES = ("nft", "legacy")


@dataclass(frozen=True)
class Case:
    """One line with the headers that stand above it."""

    place: str
    chains: tuple[str, ...]
    table: str
    families: tuple[int, ...]
    personalities: tuple[str, ...]
    rule: str
    saved: str
    ok: bool


def families_of(name: str) -> tuple[int, ...]:
    """The families that have the extension of this file name."""
    find = find_target if name.isupper() else find_match
    return tuple(family for family in (4, 6) if find(name, family) is not None)


def read(path: Path) -> Iterator[Case]:
    """The cases of one file."""
    chains: tuple[str, ...] = ("INPUT",)
    table, families = "filter", families_of(path.stem)
    assert families, f"{path.name}: no extension of that name"
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = line.strip()
        if not text or text[0] == "#":
            continue
        if text[0] == ":":
            chains = tuple(text[1:].split(","))
        elif text[0] == "*":
            table = text[1:]
        elif text[0] == "@":
            families = (int(text[1:]),)
        else:
            yield _case(f"{path.name}:{number}", chains, table, families, text)


def _case(place: str, chains: tuple[str, ...], table: str, families: tuple[int, ...], text: str) -> Case:
    parts = [part.strip() for part in text.split(";")]
    assert len(parts) in (3, 4), f"{place}: rule ; saved ; OK|FAIL"
    assert parts[2] in ("OK", "FAIL"), f"{place}: OK or FAIL"
    rule, saved = parts[0], parts[0] if parts[1] == "=" else parts[1]
    personalities = (parts[3],) if len(parts) == 4 else PERSONALITIES
    return Case(place, chains, table, families, personalities, rule, saved, parts[2] == "OK")


CASES = [case for path in sorted(HERE.glob("*.t")) for case in read(path)]


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
