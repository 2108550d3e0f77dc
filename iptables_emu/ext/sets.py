"""What the set match and the SET target share: naming an ipset and its dimensions (libxt_set.h)."""

from __future__ import annotations

from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import Converter, OptionContext
from iptables_emu.options.types import blen

MAX_NAME = 31  # IPSET_MAXNAMELEN without the NUL
MAX_DIM = 6  # IPSET_DIM_MAX


def known_set(name: str, cx: OptionContext) -> str:
    """The name of a set that exists and fits the family. Raises ParameterProblem."""
    if blen(name) > MAX_NAME:
        raise ParameterProblem(f"setname `{name}' too long, max {MAX_NAME} characters.")
    family = cx.sets.get(name)
    if family is None:
        raise ParameterProblem(f"Set {name} doesn't exist.\n")
    if family not in (0, cx.base.family):
        raise ParameterProblem(f"The protocol family of set {name} is IPv{family}, which is not applicable.\n")
    return name


def directions(text: str) -> tuple[str, ...]:
    """``src,dst,...`` -> the dimensions in order; each word counts by its first three letters."""
    words = text.split(",")
    out = []
    for word in words[:MAX_DIM]:
        if word[:3] not in ("src", "dst"):
            raise ParameterProblem("You must specify (the comma separated list of) 'src' or 'dst'.")
        out.append(word[:3])
    if len(words) > MAX_DIM:
        raise ParameterProblem(f"Can't be more src/dst options than {MAX_DIM}.")
    return tuple(out)


def set_and_directions(missing: str) -> Converter:
    """Converter of ``NAME DIRS``, two words; ``missing`` is told when the second is not there."""

    def convert(text: str, cx: OptionContext) -> tuple[str, tuple[str, ...]]:
        second = cx.words.peek()
        if second is None or second[:1] in ("-", "!"):
            raise ParameterProblem(missing)
        name = known_set(text, cx)
        return name, directions(cx.words.take())

    return convert
