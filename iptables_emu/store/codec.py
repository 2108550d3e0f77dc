"""Rules to JSON and back without loss: by the fields of the dataclasses, never by their text.

iptables' own text cannot carry everything (a newline in a comment, 255 words), so the state does not use it.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from iptables_emu.ext import registry
from iptables_emu.ext.api import Extension
from iptables_emu.model.rule import Rule, RuleSpec
from iptables_emu.options.memo import memo

_PLAIN = tuple(name for name in RuleSpec._fields if name not in ("family", "matches", "target"))


@memo()
def _names(cls: Any) -> tuple[str, ...]:
    return tuple(f.name for f in fields(cls))


def encode_rule(rule: Rule) -> list[Any]:
    """[packets, bytes, {field: value}, [[match, fields]], [target, fields] or None]."""
    spec = rule.spec
    plain = {name: value for name in _PLAIN if (value := getattr(spec, name))}
    target = None if spec.target is None else _encode(spec.target)
    return [rule.packets, rule.bytes, plain, [_encode(m) for m in spec.matches], target]


def _encode(extension: Extension) -> list[Any]:
    return [extension.NAME, [getattr(extension, name) for name in _names(type(extension))]]


def decode_rule(data: list[Any], family: int) -> Rule:
    """The rule again. Raises KeyError, TypeError or ValueError for what is no rule."""
    packets, octets, plain, matches, target = data
    spec = RuleSpec(
        family=family,
        matches=tuple([_decode(registry.find_match(name, family), name, values) for name, values in matches]),
        target=None if target is None else _decode(registry.find_target(target[0], family), *target),
        **plain,
    )
    return Rule(spec, packets, octets)


def _decode(cls: type[Any] | None, name: str, values: list[Any]) -> Any:
    if cls is None:
        raise ValueError(f"unknown extension {name!r}")
    return cls(*[_tuples(value) if value.__class__ is list else value for value in values])


def _tuples(value: list[Any]) -> tuple[Any, ...]:
    return tuple([_tuples(each) if each.__class__ is list else each for each in value])
