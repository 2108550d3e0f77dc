"""The state file: one SQLite database, one row a chain, a transaction a command.

SQLite gives the lock between two shells and the atomic replacement; a command reads and writes in one
immediate transaction, so that no other command comes between.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Self

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

    def load(self, personality: str) -> Ruleset:
        """The whole ruleset of a personality."""
        ruleset = Ruleset(personality)
        try:
            rows = self.db.execute(
                "SELECT family, name FROM tables WHERE personality = ? ORDER BY position", (personality,)
            ).fetchall()
            for family, name in rows:
                ruleset.put(self._table(ruleset, family, name))
        except (sqlite3.DatabaseError, ValueError, TypeError, KeyError) as error:
            why = f"damaged state ({error}); remove it or choose another with --state"
            raise StateError(f"{self.path}: {why}") from None
        return ruleset

    def _table(self, ruleset: Ruleset, family: int, name: str) -> Table:
        table = ruleset.new_table(family, name)
        for row in self.db.execute(
            "SELECT name, policy, hooked, packets, bytes, rules FROM chains "
            "WHERE personality = ? AND family = ? AND tab = ? ORDER BY position",
            (ruleset.personality, family, name),
        ):
            chain = Chain(_text(row[0]), row[1], bool(row[2]))
            chain.packets, chain.bytes = int(row[3]), int(row[4])
            chain.rules = [decode_rule(rule, family) for rule in json.loads(row[5])]
            table.chains[chain.name] = chain
        return table

    def save(self, ruleset: Ruleset, before: dict[tuple[int, str], Table]) -> None:
        """Write what differs from ``before`` (the tables as loaded)."""
        personality = ruleset.personality
        self.db.execute("DELETE FROM tables WHERE personality = ?", (personality,))
        for position, (family, name) in enumerate(ruleset.tables):
            self.db.execute("INSERT INTO tables VALUES (?, ?, ?, ?)", (personality, family, name, position))
        for key in {*before, *ruleset.tables}:
            old, new = before.get(key), ruleset.tables.get(key)
            if old is not new:
                self._write(personality, key, old, new)

    def _write(self, personality: str, key: tuple[int, str], old: Table | None, new: Table | None) -> None:
        where = (personality, *key)
        known = {} if old is None else old.chains
        fresh = {} if new is None else new.chains
        for name in known:
            if name not in fresh:
                self.db.execute(
                    "DELETE FROM chains WHERE personality = ? AND family = ? AND tab = ? AND name = ?",
                    (*where, _blob(name)),
                )
        for position, chain in enumerate(fresh.values()):
            before = known.get(chain.name)
            if before is not None and _same(before, chain):
                continue
            self.db.execute(
                "INSERT OR REPLACE INTO chains VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*where, _blob(chain.name), position, chain.policy, chain.hooked, str(chain.packets), str(chain.bytes),
                 json.dumps([encode_rule(r) for r in chain.rules])),
            )  # fmt: skip


def _same(a: Chain, b: Chain) -> bool:
    return (a.rules is b.rules and (a.policy, a.hooked, a.packets, a.bytes) == (b.policy, b.hooked, b.packets, b.bytes))


def _blob(name: str) -> str | bytes:
    """Names of undecodable bytes are kept as bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape")
    return name


def _text(name: str | bytes) -> str:
    return name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name
