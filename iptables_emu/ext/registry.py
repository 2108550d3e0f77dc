"""Extensions by name, each imported the first time a rule names it."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from iptables_emu.ext.api import Match, Target

# other names under which libxtables finds a match
MATCH_ALIASES = {"icmpv6": "icmp6", "ipv6-icmp": "icmp6"}


def _module_of(kind: str, name: str) -> str | None:
    """The module that would hold this extension: its name in lower case, without a look into other files."""
    module = name.lower().replace("-", "_")
    return f"iptables_emu.ext.{kind}.{module}" if module in _modules(kind) else None


@cache
def _modules(kind: str) -> frozenset[str]:
    return frozenset(names(kind))


@cache
def _matches(path: str) -> tuple[type[Match], ...]:
    classes: tuple[type[Match], ...] = import_module(path).EXTENSIONS
    return classes


@cache
def _targets(path: str) -> tuple[type[Target], ...]:
    classes: tuple[type[Target], ...] = import_module(path).EXTENSIONS
    return classes


def find_match(name: str, family: int) -> type[Match] | None:
    """The match of this exact name (``icmpv6`` and ``ipv6-icmp`` mean ``icmp6``), or None."""
    name = MATCH_ALIASES.get(name, name)
    path = _module_of("matches", name)
    if path is not None:
        for cls in _matches(path):
            if name == cls.NAME and family in cls.FAMILIES:
                return cls
    return None


def find_target(name: str, family: int) -> type[Target] | None:
    """The target extension of this exact name (not ACCEPT, DROP, RETURN, QUEUE), or None."""
    path = _module_of("targets", name)
    if path is not None:
        for cls in _targets(path):
            if name == cls.NAME and family in cls.FAMILIES:
                return cls
    return None


def names(kind: str) -> list[str]:
    """The module names of all matches ("matches") or targets ("targets"), sorted."""
    package = import_module(f"iptables_emu.ext.{kind}")
    return sorted(m.name for m in pkgutil.iter_modules(package.__path__))
