"""Option tables: what an extension takes on the command line, as data.

The role of libxtables' ``xt_option_entry``; the messages are xtoptions.c's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from iptables_emu.options.problem import ParameterProblem


@dataclass(frozen=True, slots=True)
class Base:
    """The part of the rule that every extension may look at: family, ``-p``, personality."""

    family: int = 4  # 4 or 6
    proto: int = 0
    proto_inverted: bool = False
    personality: str = "nft"  # "nft" or "legacy"; "translate" while iptables-translate reads a rule
    release: str = "1.8.11"  # whose mistakes are made, too: see RELEASE_AT_HAND

    @property
    def tells_not_all(self) -> bool:
        """Whether a negated range of everything is saved: 1.8.9 saves it as if nothing were asked."""
        return self.release != "1.8.9"

    @property
    def tells_codes_of_any(self) -> bool:
        """Whether ICMP type 255 with other codes than all is told from ``any`` when it is saved: since 1.8.10."""
        return self.release != "1.8.9"

    @property
    def addr_bits(self) -> int:
        return 32 if self.family == 4 else 128


class Words(Protocol):
    """The words behind an option, for the few options that take two."""

    def peek(self) -> str | None: ...
    def take(self) -> str: ...


@dataclass(slots=True)
class OptionContext:
    """What a converter may see besides its text."""

    ext: str  # name of the extension, for messages
    name: str  # the option as its table names it (never an abbreviation)
    inverted: bool
    base: Base
    given: dict[str, Given]
    words: Words
    warnings: list[str] = field(default_factory=list)  # lines for stderr that end nothing
    sets: Mapping[str, int] = field(default_factory=dict)  # the ipsets that exist: name -> family (0, 4 or 6)

    def bad(self, message: str) -> ParameterProblem:
        return ParameterProblem(message)


Converter = Callable[[str, OptionContext], Any]


@dataclass(frozen=True, slots=True)
class Opt:
    """One row of an option table.

    ``convert`` None is a flag without argument. Rows with the same ``key`` are synonyms (the key is the
    name unless given). ``excludes`` and ``also`` name keys, ``once`` and ``no_invert`` replace the standard
    messages for old extensions. ``ident`` is the number libxtables gives the row (only for messages).
    A ``bare`` row has no argument although it has a converter (called with ""), which may take the next word.
    """

    name: str
    convert: Converter | None = None
    key: str = ""
    invert: bool = False
    mandatory: bool = False
    multi: bool = False
    excludes: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    once: str = ""
    no_invert: str = ""
    help: str = ""
    metavar: str = ""
    ident: int = -1
    bare: bool = False
    words: int = 1  # the most words it takes; a hint for the parser, the converter decides

    @property
    def id(self) -> str:
        return self.key or self.name


class Given(NamedTuple):
    """One option as written: its converted value (True for a flag), whether ``!`` stood before it.

    For a ``multi`` row ``values`` holds every (value, inverted) in order and ``value`` the last.
    """

    value: Any
    inverted: bool = False
    values: tuple[tuple[Any, bool], ...] = ()


Gathered = Mapping[str, Given]


def others(keys: Sequence[str], key: str) -> tuple[str, ...]:
    """The keys beside this one, for ``Opt.excludes``."""
    return tuple(each for each in keys if each != key)


class OptionTable(Protocol):
    """What the option loop needs to know of an extension."""

    NAME: str
    OPTIONS: Sequence[Opt]


def accept(opt: Opt, text: str | None, cx: OptionContext) -> None:
    """Take one occurrence of an option into ``cx.given``. Raises ParameterProblem."""
    key = opt.key or opt.name
    before = cx.given.get(key)
    if before is not None and not opt.multi:
        raise ParameterProblem(opt.once or f'{cx.ext}: option "--{cx.name}" can only be used once.\n')
    if cx.inverted and not opt.invert:
        raise ParameterProblem(opt.no_invert or f'{cx.ext}: option "--{cx.name}" cannot be inverted.\n')
    value: Any = True
    if opt.convert is not None:
        value = opt.convert(text or "", cx)
    if opt.multi:
        values = (before.values if before else ()) + ((value, cx.inverted),)
        cx.given[key] = Given(value, cx.inverted, values)
    else:
        cx.given[key] = Given(value, cx.inverted)


class Condition(NamedTuple):
    """What a table's end asks of one row: ``others`` are (key, name, wanted) of rows it needs or excludes."""

    key: str
    name: str
    mandatory: bool
    others: tuple[tuple[str, str, bool], ...]


def conditions(options: Sequence[Opt]) -> tuple[Condition, ...]:
    """The conditions of a table, in the order in which libxtables tells them (xtables_options_fcheck)."""
    out = []
    for opt in options:
        others = tuple(
            (other.id, other.name, other.id in opt.also)
            for other in _distinct(options)
            if other.id != opt.id and (other.id in opt.also or other.id in opt.excludes)
        )
        if opt.mandatory or others:
            out.append(Condition(opt.id, opt.name, opt.mandatory, others))
    return tuple(out)


def check_conditions(name: str, table: Sequence[Condition], given: Gathered) -> None:
    """Check them for extension ``name``. Raises ParameterProblem."""
    for key, option, mandatory, others in table:
        if key not in given:
            if mandatory:
                raise ParameterProblem(f'{name}: option "--{option}" must be specified\n')
            continue
        for other, told, wanted in others:
            if wanted and other not in given:
                raise ParameterProblem(f'{name}: option "--{option}" also requires "--{told}".\n')
            if not wanted and other in given:
                raise ParameterProblem(f'{name}: option "--{option}" cannot be used together with "--{told}".\n')


def _distinct(options: Sequence[Opt]) -> Iterator[Opt]:
    """One row of each key, in the order of libxtables' numbers."""
    first: dict[str, Opt] = {}
    for opt in options:
        first.setdefault(opt.id, opt)
    numbered = [(opt.ident if opt.ident >= 0 else place, opt) for place, opt in enumerate(first.values())]
    return (opt for _, opt in sorted(numbered, key=lambda each: each[0]))
