"""``value[/mask]`` of 32 bits where the value may be a name from a table of iproute2 (xtables_parse_val_mask)."""

from __future__ import annotations

from collections.abc import Mapping

from iptables_emu.options.numbers import U32, scan
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import Converter, OptionContext

GROUPS: Mapping[str, int] = {"default": 0}  # /etc/iproute2/group as it is delivered
REALMS: Mapping[str, int] = {"cosmos": 0}  # /etc/iproute2/rt_realms


def val_mask(names: Mapping[str, int]) -> Converter:
    """-> (value, mask); the mask is all ones unless given."""

    def convert(text: str, cx: OptionContext) -> tuple[int, int]:
        found = scan(text, 0, U32)
        if found is None or found[1][:1] not in ("", "/"):
            if text not in names:
                raise ParameterProblem(
                    f'{cx.ext}: could not map name {text} to an integer value for option "--{cx.name}".\n'
                )
            return names[text], U32
        value, rest = found
        if not rest:
            return value, U32
        mask = scan(rest[1:], 0, U32)
        if mask is None:
            raise ParameterProblem(f'{cx.ext}: bad integer value for option "--{cx.name}", or out of range.\n')
        if mask[1]:
            raise ParameterProblem(f'{cx.ext}: trailing garbage after value for option "--{cx.name}".\n')
        return value, mask[0]

    return convert


def show_val_mask(value: int, mask: int, names: Mapping[str, int] | None) -> str:
    """`` 0x1/0xff``, `` 0x1`` or the name, with the blank before it; ``names`` None prints numbers."""
    if mask != U32:
        return f" 0x{value:x}/0x{mask:x}"
    name = next((name for name, number in (names or {}).items() if number == value), None)
    return f" {name}" if name else f" 0x{value:x}"
