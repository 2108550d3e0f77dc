"""Extensions by name, each imported the first time a rule names it."""

from __future__ import annotations

import pkgutil
import re
from functools import cache
from importlib import import_module, util

from iptables_emu.ext.api import Match, Target

_NAME = re.compile(r"[A-Za-z0-9_-]+\Z")


def _module_of(kind: str, name: str) -> str | None:
    """The module that would hold this extension: its name in lower case, without looking at other files."""
    if not _NAME.match(name):
        return None
    path = f"iptables_emu.ext.{kind}.{name.lower().replace('-', '_')}"
    return path if util.find_spec(path) is not None else None


@cache
def find_match(name: str, family: int) -> type[Match] | None:
    """The match of this exact name (``icmpv6`` and ``ipv6-icmp`` mean ``icmp6``), or None."""
    if name in ("icmpv6", "ipv6-icmp"):
        name = "icmp6"
    path = _module_of("matches", name)
    if path is None:
        return None
    classes: tuple[type[Match], ...] = import_module(path).EXTENSIONS
    return next((c for c in classes if c.NAME == name and family in c.FAMILIES), None)


@cache
def find_target(name: str, family: int) -> type[Target] | None:
    """The target extension of this exact name (not ACCEPT, DROP, RETURN, QUEUE), or None."""
    path = _module_of("targets", name)
    if path is None:
        return None
    classes: tuple[type[Target], ...] = import_module(path).EXTENSIONS
    return next((c for c in classes if c.NAME == name and family in c.FAMILIES), None)


def names(kind: str) -> list[str]:
    """The module names of all matches ("matches") or targets ("targets"), sorted."""
    package = import_module(f"iptables_emu.ext.{kind}")
    return sorted(m.name for m in pkgutil.iter_modules(package.__path__))
