"""Rules there and back: parse, save, restore, compare, delete; 10,000 generated cases, every extension among them."""

from __future__ import annotations

import shlex

from hypothesis import given, settings
from hypothesis import strategies as st

from iptables_emu.ext.registry import names
from iptables_emu.model.ruleset import Ruleset
from iptables_emu.text.lexer import words
from iptables_emu.text.programs import Environment, run_program
from tests.ext.tables import CASES
from tests.property.rules import Generated, Place, generated, several


def run(ruleset: Ruleset, *argv: str, stdin: str = "") -> str:
    """What it prints; it must succeed."""
    result = run_program(argv, Environment(ruleset, read_input=lambda: stdin))
    assert result.rc == 0, (argv, result.stderr)
    return result.stdout


def fresh(place: Place) -> Ruleset:
    ruleset = Ruleset(place.personality)
    run(ruleset, place.program, "-t", place.table, "-N", "mine")
    return ruleset


def append(ruleset: Ruleset, rule: Generated, *counters: str) -> list[str]:
    """Append the first of its texts that is taken, in words; the last one has to be."""
    place = rule.place
    *crowded, last = rule.texts
    for text in crowded:
        argv = [place.program, "-t", place.table, "-A", place.chain, *counters, *shlex.split(text)]
        if run_program(argv, Environment(ruleset)).rc == 0:
            return shlex.split(text)
    run(ruleset, place.program, "-t", place.table, "-A", place.chain, *counters, *shlex.split(last))
    return shlex.split(last)


def rules_of(text: str) -> list[str]:
    """The lines without comments."""
    return [line for line in text.split("\n") if line[:1] != "#"]


@settings(max_examples=4500, deadline=None)
@given(generated)
def test_save_parse_equal(rule: Generated) -> None:
    place = rule.place
    ruleset = fresh(place)
    append(ruleset, rule)
    saved = ruleset.dumps(place.family)
    again = Ruleset.loads(saved, place.family, place.personality)
    table, copy = ruleset.get(place.family, place.table), again.get(place.family, place.table)
    assert table is not None and copy is not None
    assert [r.spec for r in copy.chains[place.chain].rules] == [r.spec for r in table.chains[place.chain].rules]
    assert again.dumps(place.family) == saved


@settings(max_examples=2500, deadline=None)
@given(several)
def test_delete_of_every_append_leaves_nothing(rules: list[Generated]) -> None:
    place = rules[0].place
    ruleset = fresh(place)
    at = (place.program, "-t", place.table)
    empty = ruleset.dumps(place.family)
    for rule in rules:
        text = append(ruleset, rule)
        run(ruleset, *at, "-C", place.chain, *text)
    for line in run(ruleset, *at, "-S", place.chain).split("\n")[1:-1]:
        run(ruleset, *at, "-D", *words(line)[1:])
    assert ruleset.dumps(place.family) == empty


@settings(max_examples=3000, deadline=None)
@given(several, st.booleans())
def test_save_of_a_restore_of_a_save_is_the_same(rules: list[Generated], counters: bool) -> None:
    place = rules[0].place
    ruleset = fresh(place)
    for number, rule in enumerate(rules):
        append(ruleset, rule, "-c", str(number), "77")
    option = ["-c"] if counters else []
    saved = run(ruleset, f"{place.program}-save", *option)
    other = Ruleset(place.personality)
    run(other, f"{place.program}-restore", *option, stdin=saved)
    again = run(other, f"{place.program}-save", *option)
    assert rules_of(again) == rules_of(saved)


def test_every_extension_is_among_the_rules() -> None:
    taken = {case.place.split(".")[0].lower() for case in CASES if case.ok}
    outside = {"nfacct", "set"}  # they name objects that have to exist
    assert {name.replace("_", "-") for kind in ("matches", "targets") for name in names(kind)} - taken == outside
