"""``iptables-translate``: a command in nft's language (iptables: xtables-translate.c)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iptables_emu.ext.api import Extension
from iptables_emu.ext.nft import Nft, glue, unless
from iptables_emu.model.address import BITS, mask_bits, show
from iptables_emu.model.rule import RuleSpec
from iptables_emu.options import names
from iptables_emu.options.problem import IptablesError
from iptables_emu.options.spec import Base
from iptables_emu.text.argv import Parser
from iptables_emu.text.command import Command
from iptables_emu.text.errors import Exit, TryHelp, report, try_help
from iptables_emu.text.programs import VERSION, Result
from iptables_emu.text.save import base_of

# rules are read as iptables-nft reads them, but nothing is turned into nft's expressions
PERSONALITY = "translate"
NFT_VERSION = f"{VERSION} (nf_tables)"


def translate_main(argv: Sequence[str], family: int) -> Result:
    """``iptables-translate ...`` or ``ip6tables-translate ...``."""
    program = f"{'iptables' if family == 4 else 'ip6tables'}-translate"
    parser = Parser(family, PERSONALITY, program, NFT_VERSION)
    rc, stdout, stderr = 0, "", ""
    try:
        try:
            command = parser.parse(argv)
        finally:
            stderr = "".join(parser.warnings)
        text = Translator(family).command(command, argv)
        stdout = f"nft {text or ''}"
        if text is None:
            rc, stderr = 1, stderr + "Translation not implemented\n"
    except Exit as stop:
        rc, stdout, stderr = stop.status, stop.stdout, stderr + stop.stderr
    except TryHelp as stop:
        rc, stderr = 2, stderr + stop.text + try_help(program, None)
    except IptablesError as error:
        rc, stderr = error.status, stderr + report(error, program, NFT_VERSION, None)
    return Result(rc, stdout, stderr)


class Translator:
    """Translates the commands of one run. ``restore`` leaves out what is only for a shell."""

    def __init__(self, family: int, *, restore: bool = False) -> None:
        self.family, self.restore = family, restore
        self.ip = "ip" if family == 4 else "ip6"
        self._sets = 0  # how many sets the rules have declared so far

    def command(self, command: Command, argv: Sequence[str]) -> str | None:
        """The lines of one command; None when there is no translation of its kind."""
        table = f"{self.ip} {command.table}"
        chain = f"{table} {'(null)' if command.chain is None else command.chain}\n"
        match "".join(sorted(command.commands)):
            case "A" | "I":
                return self._rules(command, argv)
            case "F":
                return f"flush chain {chain}" if command.chain is not None else f"flush table {table}\n"
            case "L" | "LZ":
                return f"list table {table}\n"
            case "N":
                return f"add chain {chain}"
            case "X":
                return f"delete chain {chain}"
        return None

    def _rules(self, command: Command, argv: Sequence[str]) -> str:
        """Every source with every destination. A rule without translation is given back as a comment."""
        out, text = "", None
        for left, source in zip(range(len(command.sources) - 1, -1, -1), command.sources, strict=True):
            for destination in command.destinations:
                text = self._rule(command, command.spec.with_addresses(source, destination))
                out += text or ""
            out += "nft " if left and not self.restore else ""
        return out if text is not None else out + _comment(argv)

    def _rule(self, command: Command, spec: RuleSpec) -> str | None:
        found = self.words(spec)
        if found is None:
            return None
        rule, declares = found
        where, tick = f"{self.ip} {command.table}", "" if self.restore else "'"
        verb, place = "add", f"{where} {command.chain} "
        if "I" in command.commands:
            verb, place = "insert", place + (f"index {command.rulenum} " if command.rulenum > 1 else "")
        text = f"{tick}{verb} rule {place}{rule}{tick}\n"
        if not declares:
            return text
        return f"{tick}add set {where} {declares}{tick}\n{'' if self.restore else 'nft '}{text}"

    def words(self, spec: RuleSpec) -> tuple[str, str] | None:
        """A rule's text, and the sets that it needs or ""; None when a part has no translation."""
        base = base_of(spec, PERSONALITY)
        parts, declares, comment = list(_core_words(spec)), "", ""
        for match in spec.matches:
            part = self._extension(match, base)
            if part is None:
                return None
            parts.append(part.rule)
            declares, comment = glue(declares, part.declares), part.comment or comment
        action = self._action(spec, base)
        if action is None:
            return None
        rule = glue(*parts, "counter", action, f" comment {comment}" if comment else "")
        return rule.rstrip(" \t\n\v\f\r"), declares

    def _action(self, spec: RuleSpec, base: Base) -> str | None:
        if spec.target is not None:
            part = self._extension(spec.target, base)
            return None if part is None else part.rule
        if spec.verdict and not spec.goto:
            return None if spec.verdict == "QUEUE" else f" {spec.verdict.lower()}"
        return f" {'goto' if spec.goto else 'jump'} {spec.jump}" if spec.jump else ""

    def _extension(self, extension: Extension, base: Base) -> Nft | None:
        part = extension.translate(base)
        if part is None or isinstance(part, str):
            return None if part is None else Nft(part)
        if not part.declares:
            return part
        number, self._sets = str(self._sets), self._sets + 1
        return Nft(part.rule.replace("{n}", number), part.comment, part.declares.replace("{n}", number))


def _comment(argv: Sequence[str]) -> str:
    """The command as iptables leaves it when it has read it: without its ``!``, protocols in lower case, of the
    list that is taken apart in place only the first word."""
    words = list(argv[1:])
    for at, word in enumerate(words):
        if word == "!" and "".join(words[at + 1 : at + 2]).startswith("-"):
            words[at] = ""
        elif at and words[at - 1] in ("-p", "--protocol", "--proto"):
            words[at] = word.lower()
        elif at and words[at - 1] == "--strip-options":
            words[at] = word.partition(",")[0]
    return "".join(f"{word} " for word in ("#", *words)) + "\n"


def _core_words(spec: RuleSpec) -> Iterator[str]:
    """Interfaces, fragment, protocol and addresses."""
    yield _interface("iifname", spec.iif, spec.not_iif)
    yield _interface("oifname", spec.oif, spec.not_oif)
    if spec.fragment:
        yield f"ip frag-off & 0x1fff {unless(not spec.not_fragment)}0 "
    if spec.proto and not _says_protocol(spec):
        yield "ip protocol" if spec.family == 4 else "meta l4proto"
        yield " !=" if spec.not_proto else ""
        yield names.protocol_name(spec.proto, True) or str(spec.proto)
    ip = "ip" if spec.family == 4 else "ip6"
    yield _address(f"{ip} saddr", spec.src, spec.src_mask, spec.not_src, spec.family)
    yield _address(f"{ip} daddr", spec.dst, spec.dst_mask, spec.not_dst, spec.family)


def _interface(word: str, name: str, inverted: bool) -> str:
    """nft's wildcard is a star. It has none for all names: ``! -i +`` names an interface that cannot be."""
    if name == "+":
        return f'{word} "INVAL/D" ' if inverted else ""
    if not name:
        return ""
    last = {"*": "\\*", "+": "*"}.get(name[-1], name[-1])
    return f'{word} {unless(inverted)}"{name[:-1]}{last}" '


def _says_protocol(spec: RuleSpec) -> bool:
    """Whether a match of the protocol's name is there, whose words ask for the protocol."""
    known = {name for name, number in names.CHAIN_PROTOCOLS if number == spec.proto}
    known.add(names.protocol_name(spec.proto, True) or "")
    return any(match.NAME in known for match in spec.matches)


def _address(word: str, value: int, mask: int, inverted: bool, family: int) -> str:
    if not inverted and not value and not mask:
        return ""
    shown, bits = show(value, family), mask_bits(mask, family)
    if bits is None:
        return f"{word} & {show(mask, family)} {'!=' if inverted else '=='} {shown} "
    return f"{word} {unless(inverted)}{shown}{'' if bits == BITS[family] else f'/{bits}'} "
