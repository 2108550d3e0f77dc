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
_FAMILY = {4: "ip", 6: "ip6"}
_VERDICTS = {"ACCEPT": " accept", "DROP": " drop", "RETURN": " return"}


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
        self.ip = _FAMILY[family]
        self._sets = 0

    def command(self, command: Command, argv: Sequence[str]) -> str | None:
        """The lines of one command; None when nft has no word for it. ``argv`` begins with the program's name."""
        chain = f"{self.ip} {command.table} {command.chain or '(null)'}\n"
        match "".join(sorted(command.commands)):
            case "A" | "I":
                return self._rules(command) or _untouched(argv)
            case "F":
                return f"flush chain {chain}" if command.chain is not None else f"flush table {self.ip} {command.table}\n"
            case "L" | "LZ":
                return f"list table {self.ip} {command.table}\n"
            case "N":
                return f"add chain {chain}"
            case "X":
                return f"delete chain {chain}"
        return None

    def _rules(self, command: Command) -> str:
        """Every source with every destination; of a rule that cannot be translated nothing but ``nft``, and its words."""
        out, spec, made = "", command.spec, True
        for number, source in enumerate(command.sources):
            for destination in command.destinations:
                text = self._rule(command, spec.with_addresses(source, destination))
                out, made = out + (text or ""), text is not None
            if not self.restore and number < len(command.sources) - 1:
                out += "nft "
        return out if made else out + "\0"

    def _rule(self, command: Command, spec: RuleSpec) -> str | None:
        found = translate_rule(spec)
        if found is None:
            return None
        rule, declares = found
        tick = "" if self.restore else "'"
        where, out = f"{self.ip} {command.table}", ""
        if declares:
            number, self._sets = str(self._sets), self._sets + 1
            rule, declares = rule.replace("{n}", number), declares.replace("{n}", number)
            out = f"{tick}add set {where} {declares}{tick}\n{'' if self.restore else 'nft '}"
        verb, index = "add", ""
        if "I" in command.commands:
            verb, index = "insert", f"index {command.rulenum} " if command.rulenum > 1 else ""
        return f"{out}{tick}{verb} rule {where} {command.chain} {index}{rule}{tick}\n"


def _untouched(argv: Sequence[str]) -> str:
    return ""


def translate_rule(spec: RuleSpec) -> tuple[str, str] | None:
    """A rule's words, and the set that it needs or ""; None when an extension has no translation."""
    base = base_of(spec, PERSONALITY)
    return None
