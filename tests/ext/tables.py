"""Every line of ``*.t`` beside this file: a rule, what iptables-save makes of it, whether it is taken.

::

    # a comment
    :INPUT,FORWARD            chains for the lines that follow
    *mangle                   their table (filter at first)
    @6                        their family; without such a line the families that have the extension
    rule ; saved ; OK|FAIL    "=" is saved as written; of a FAIL nothing is saved

A last field ``nft`` or ``legacy`` keeps a line to that personality. A file's name is the extension's; a
target's is in capitals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from iptables_emu.ext.registry import find_match, find_target

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
