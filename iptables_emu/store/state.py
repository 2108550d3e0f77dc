"""The state file: one SQLite database, one row a chain, a transaction a command.

SQLite gives the lock between two shells and the atomic replacement; a command reads and writes in one
immediate transaction, so that no other command comes between.
"""

from __future__ import annotations

import json
import sqlite3
from functools import cache, partial
from pathlib import Path
from types import TracebackType
from typing import Self

from iptables_emu.model.rule import Rule
from iptables_emu.model.ruleset import Chain, Ruleset, Table
from iptables_emu.store.codec import decode_rule, encode_rule

FORMAT = 1
WAIT_SECONDS = 30.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tables (personality TEXT, family INTEGER, name TEXT, position INTEGER,
    PRIMARY KEY (personality, family, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chains (personality TEXT, family INTEGER, tab TEXT, name TEXT, position INTEGER,
    policy TEXT, hooked INTEGER, packets TEXT, bytes TEXT, rules TEXT,
    PRIMARY KEY (personality, family, tab, name)) WITHOUT ROWID;
"""


_WHERE_TABLE = "WHERE personality = ? AND family = ? AND tab = ?"


class StateError(Exception):
    """The state file cannot be used; the text says why and what to do."""


class Store:
    """An open state file within one transaction: committed when the block ends well, else rolled back."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.db = sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None)
            self.db.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA.split(";"):
                self.db.execute(statement)
            row = self.db.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
            if row is None:
                self.db.execute("INSERT INTO meta VALUES ('format', ?)", (str(FORMAT),))
            elif row[0] != str(FORMAT):
                raise StateError(f"{self.path}: state of another version ({row[0]}); choose another file with --state")
        except OSError as error:
            raise StateError(f"{self.path}: {error.strerror}; choose another file with --state") from None
        except sqlite3.DatabaseError as error:
            raise StateError(f"{self.path}: {error}; choose another file with --state") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self.db.execute("COMMIT" if kind is None else "ROLLBACK")
        finally:
            self.db.close()

    def get(self, key: str) -> str | None:
        """What was kept under a key besides the rules, or None."""
        row = self.db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(_text(row[0]))

    def put(self, key: str, value: str) -> None:
        """Keep something under a key."""
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, _blob(value)))

    def load(self, personality: str) -> Ruleset:
        """The whole ruleset of a personality; the rules of a chain are decoded when they are asked for."""
        ruleset = Ruleset(personality)
        try:
            rows = self.db.execute(
                "SELECT family, name FROM tables WHERE personality = ? ORDER BY position", (personality,)
            ).fetchall()
            for family, name in rows:
                ruleset.put(self._table(ruleset, family, name))
        except (sqlite3.DatabaseError, ValueError, TypeError, KeyError) as error:
            raise self._damaged(error) from None
        return ruleset

    def _damaged(self, error: Exception) -> StateError:
        return StateError(f"{self.path}: damaged state ({error}); remove it or choose another with --state")

    def _table(self, ruleset: Ruleset, family: int, name: str) -> Table:
        table = ruleset.new_table(family, name)
        for row in self.db.execute(
            "SELECT name, policy, hooked, packets, bytes, rules FROM chains "
            "WHERE personality = ? AND family = ? AND tab = ? ORDER BY position",
            (ruleset.personality, family, name),
        ):
            load = None if row[5] == "[]" else cache(partial(self._rules, row[5], family))
            chain = Chain(_text(row[0]), row[1], bool(row[2]), load)
            chain.packets, chain.bytes = int(row[3]), int(row[4])
            table.chains[chain.name] = chain
        return table

    def _rules(self, text: str, family: int) -> list[Rule]:
        try:
            return [decode_rule(rule, family) for rule in json.loads(text)]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise self._damaged(error) from None

    def save(self, ruleset: Ruleset, before: dict[tuple[int, str], Table]) -> None:
        """Write what differs from ``before`` (the tables as loaded)."""
        personality = ruleset.personality
        self.db.execute("DELETE FROM tables WHERE personality = ?", (personality,))
        for position, (family, name) in enumerate(ruleset.tables):
            self.db.execute("INSERT INTO tables VALUES (?, ?, ?, ?)", (personality, family, name, position))
        for key in {*before, *ruleset.tables}:
            old, new = before.get(key), ruleset.tables.get(key)
            if old is not new:
                self._write((personality, *key), {} if old is None else old.chains, {} if new is None else new.chains)

    def _write(self, where: tuple[str, int, str], known: dict[str, Chain], fresh: dict[str, Chain]) -> None:
        kept = [name for name in known if name in fresh]
        if kept != list(fresh)[: len(kept)]:  # in another order: all anew
            self.db.execute(f"DELETE FROM chains {_WHERE_TABLE}", where)
            known = {}
        gone = [(*where, _blob(name)) for name in known if name not in fresh]
        self.db.executemany(f"DELETE FROM chains {_WHERE_TABLE} AND name = ?", gone)
        (last,) = self.db.execute(f"SELECT COALESCE(MAX(position), -1) FROM chains {_WHERE_TABLE}", where).fetchone()
        self.db.executemany(
            f"UPDATE chains SET policy = ?, hooked = ?, packets = ?, bytes = ?, rules = ? {_WHERE_TABLE} AND name = ?",
            ((*_values(chain), *where, _blob(name)) for name, chain in fresh.items()
             if name in known and not _same(known[name], chain)),
        )  # fmt: skip
        self.db.executemany(
            "INSERT INTO chains VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((*where, _blob(name), position, *_values(chain))
             for position, (name, chain) in enumerate(fresh.items(), last + 1) if name not in known),
        )  # fmt: skip


def _values(chain: Chain) -> tuple[str | None, bool, str, str, str]:
    rules = json.dumps([encode_rule(rule) for rule in chain.rules], separators=(",", ":")) if chain.rules else "[]"
    return chain.policy, chain.hooked, str(chain.packets), str(chain.bytes), rules


def _same(a: Chain, b: Chain) -> bool:
    return (a.policy, a.hooked, a.packets, a.bytes) == (b.policy, b.hooked, b.packets, b.bytes) and a.same_rules(b)


def _blob(name: str) -> str | bytes:
    """Names of undecodable bytes are kept as bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape")
    return name


def _text(name: str | bytes) -> str:
    return name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name
