"""``iptables-xml``: an iptables-save text as XML (iptables-xml.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.types import cut
from iptables_emu.text.errors import Exit, report
from iptables_emu.text.getopt import Getopt, complaint
from iptables_emu.text.lexer import MOST_WORDS, check_lengths, marked_words
from iptables_emu.text.option_tables import xml_options
from iptables_emu.text.programs import VERSION, Environment, Result
from iptables_emu.text.restore import parse_counters, pieces, split_counters, strtok
from iptables_emu.text.restore_main import read_file

PROGRAM = "iptables-xml"
MOST_CHAINS = 10240
NAME_BYTES = 32  # XT_TABLE_MAXNAMELEN
_TARGETS = ("-j", "--jump", "-g", "--goto")
_MODULES = ("-m", "--module")
_ENDS = ("ACCEPT", "DROP", "QUEUE", "RETURN")
_USAGE = f"Usage: {PROGRAM} [-c] [-v] [-h]\n  -c, --combine   one rule for several with the same conditions\n"

Words = list[tuple[str, bool]]  # each word with whether it was quoted


def xml_main(argv: Sequence[str], env: Environment) -> Result:
    """``iptables-xml [-c] [-v] [FILE]``."""
    xml = Xml()
    try:
        text = _input(argv, xml, env)
        xml.convert(text)
    except Exit as stop:
        return Result(stop.status, "".join(xml.out) + stop.stdout, xml.stderr + stop.stderr)
    except ParameterProblem as error:
        return Result(2, "".join(xml.out), xml.stderr + report(error, PROGRAM, VERSION, None))
    return Result(0, "".join(xml.out), xml.stderr)


def _input(argv: Sequence[str], xml: Xml, env: Environment) -> str:
    getopt, files = Getopt(argv, xml_options()), list[str]()
    while getopt.next():
        if getopt.kind == "word":
            files.append(getopt.arg or "")
        elif getopt.kind != "option":
            xml.stderr += complaint(getopt)
        elif getopt.val == "h":
            raise Exit(1, _USAGE)
        elif getopt.val == "v":
            xml.verbose = True
            xml.out.append("xptables-xml\n")
        else:
            xml.combine = True
    files += argv[getopt.index :]
    if len(files) > 1:
        raise Exit(1, "Unknown arguments found on commandline")
    return read_file(files[0], "") if files else env.read_input()


def encode(text: str) -> str:
    """Text for an attribute or between tags: every byte from 127 up as a number."""
    special = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
    if text.isascii() and not any(c in text for c in '&<>"\x7f'):
        return text
    raw = text.encode("utf-8", "surrogateescape")
    return "".join(f"&#{byte};" if byte >= 127 else special.get(chr(byte), chr(byte)) for byte in raw)


def comment_text(text: str) -> str:
    """Text for a comment: a star before each hyphen, and a blank before every second."""
    out, hyphens = [], 0
    for char in text.removesuffix("\n"):
        if char == "-":
            hyphens += 1
            out.append(" *" if hyphens == 2 else "*")
            hyphens %= 2
        out.append(char)
    return "".join(out)


@dataclass(slots=True)
class Xml:
    """One conversion. ``chains`` are those declared in the table at hand: name -> [tag, already written]."""

    out: list[str] = field(default_factory=list)
    stderr: str = ""
    combine: bool = False
    verbose: bool = False
    line: int = 0
    table: str = ""
    chain: str = ""
    chains: dict[str, list[tuple[str, bool]]] = field(default_factory=dict)
    declared: list[str] = field(default_factory=list)
    action_open: bool = False
    rule_open: bool = False
    last: Words = field(default_factory=list)

    def convert(self, text: str) -> None:
        """Raises Exit, ParameterProblem."""
        self.out.append('<iptables-rules version="1.0">\n')
        for piece in pieces(text):
            self.line += 1
            if piece[:1] == "\n":
                continue
            if piece[:1] == "#":
                self.out.append(f"<!-- {comment_text(piece)} -->\n")
                continue
            if self.verbose:
                self.out.append(f"<!-- line {self.line} {comment_text(piece)} -->\n")
            self.step(piece)
        if self.table:
            raise Exit(1, f"{PROGRAM}: COMMIT expected at line {self.line + 1}\n")
        self.out.append("</iptables-rules>\n")

    def step(self, piece: str) -> None:
        if self.table and piece == "COMMIT\n":
            self.close_table()
        elif piece[:1] == "*":
            name = next(iter(strtok(piece[1:])), None)
            if name is None:
                raise ParameterProblem(f"{PROGRAM}: line {self.line} table name invalid")
            self.close_table()
            self.table = cut(name, NAME_BYTES)
            self.out.append(f'  <table name="{encode(self.table)}" >\n')
        elif self.table and piece[:1] == ":":
            self.declare(strtok(piece[1:]))
        elif self.table:
            self.rule(piece)
        else:
            raise Exit(1, f"{PROGRAM}: line {self.line} failed\n")

    # -- tables and chains -----------------------------------------------------------------------

    def declare(self, fields: list[str]) -> None:
        for what, present in (("chain name", len(fields) > 0), ("policy", len(fields) > 1)):
            if not present:
                raise ParameterProblem(f"{PROGRAM}: line {self.line} {what} invalid")
        if len(self.declared) >= MOST_CHAINS:
            raise ParameterProblem(f"{PROGRAM}: line {self.line} chain name invalid")
        name, policy = fields[:2]
        packets, octets = (parse_counters(fields[2]) if len(fields) > 2 else None) or (0, 0)
        shown = f'policy="{encode(policy)}" ' if policy != "-" else ""
        tag = f'    <chain name="{encode(cut(name, NAME_BYTES))}" {shown}'
        tag += f'packet-count="{_signed(packets)}" byte-count="{_signed(octets)}" '
        self.chains.setdefault(name, []).append((tag, False))
        self.declared.append(name)

    def need_chain(self, name: str) -> None:
        """Open the chain of the next rule, when it is another than before."""
        if self.chain == name:
            return
        entries = self.chains.get(name, [])
        for at, (tag, _) in enumerate(entries):
            self.close_chain()
            self.out.append(tag + ">\n")
            self.chain = cut(name, NAME_BYTES)
            entries[at] = tag, True

    def close_chain(self) -> None:
        if not self.chain:
            return
        self.close_rule()
        self.out.append("    </chain>\n")
        self.chain = ""

    def close_rule(self) -> None:
        if self.action_open:
            self.out.append("       </actions>\n\n")
        if self.rule_open:
            self.out.append("      </rule>\n\n")
        self.action_open = self.rule_open = False

    def close_table(self) -> None:
        self.close_chain()
        seen: dict[str, int] = {}
        for name in self.declared:
            at = seen.get(name, 0)
            seen[name] = at + 1
            tag, written = self.chains[name][at]
            if not written:
                self.out.append(tag + "/>\n")
        self.chains.clear()
        self.declared.clear()
        if self.table:
            self.out.append("  </table>\n")
        self.table = ""

    # -- rules -----------------------------------------------------------------------------------

    def rule(self, piece: str) -> None:
        counters, rest = split_counters(piece, self.line) if piece[:1] == "[" else ((), piece)
        found = marked_words(rest)
        check_lengths([word for word, _ in found])
        if len(found) >= MOST_WORDS:
            raise ParameterProblem("Parser cannot handle more arguments")
        at = next((i for i in range(1, len(found)) if found[i - 1][0] == "-A"), None)
        if at is None:
            raise Exit(1, f"{PROGRAM}: line {self.line} failed - no chain found\n")
        self.need_chain(found[at][0])
        conditional = len(found) > 2 and found[2][0] not in _TARGETS
        if self.combine and conditional and _combinable(found, self.last):
            self.out.append(f"<!-- {comment_text('Combine action from next rule')} -->\n")
        else:
            self.close_rule()
            names = zip(("packet-count", "byte-count"), counters, strict=False)
            self.out.append("      <rule " + "".join(f'{name}="{encode(n)}" ' for name, n in names) + ">\n")
            self.rule_open = True
            if conditional:
                self.out.append("       <conditions>\n")
                self.out.append(Part(found, self.chain, self.chains).conditions())
                self.out.append("       </conditions>\n")
        if not self.action_open:
            self.out.append("       <actions>\n")
            self.action_open = True
        self.out.append(Part(found, self.chain, self.chains).actions())
        self.last = found


def _signed(number: int) -> int:
    """As ``%lld`` prints it."""
    return number - (1 << 64) if number >> 63 else number


def _combinable(new: Words, old: Words) -> bool:
    """The same conditions as the rule before, whose action lets a packet go on."""
    for at, ((a, _), (b, _)) in enumerate(zip(old, new, strict=False)):
        if a in _TARGETS and b in _TARGETS:
            if a in ("-g", "--goto"):
                return False
            return not (at + 1 < len(old) and old[at + 1][0] in _ENDS)
        if a != b:
            return False
    return False


class Part:
    """The conditions or the actions of one rule: modules as outer tags, their options as inner ones."""

    def __init__(self, words: Words, chain: str, chains: dict[str, list[tuple[str, bool]]]) -> None:
        self.words, self.chain, self.chains = words, chain, chains
        self.out: list[str] = []
        self.outer = self.inner = self.blank = ""
        self.inverted = False

    def conditions(self) -> str:
        return self.run(2, stop=True)

    def actions(self) -> str:
        at = 2
        while at < len(self.words) and not self.is_target(at):
            at += 1
        return self.run(at, stop=False)

    def is_target(self, at: int) -> bool:
        return not self.words[at][1] and self.words[at][0] in _TARGETS

    def opens(self, at: int) -> bool:
        """Whether a module or a target begins there, or the rule ends."""
        return at >= len(self.words) or (
            not self.words[at][1] and (self.words[at][0] in _TARGETS or self.words[at][0] in _MODULES)
        )

    def run(self, at: int, stop: bool) -> str:
        words = self.words
        first = at + 1 if at < len(words) and words[at][0] == "!" else at
        if first < len(words) and words[first][0][:1] == "-" and words[first][0] not in (*_TARGETS, "-m"):
            self.outer = "match"
            self.out.append("        <match >\n")
        while at < len(words) and not (stop and self.is_target(at)):
            following = self.word(at)
            if following is None:
                break
            at = following
        self.close(everything=True)
        return "".join(self.out)

    def word(self, at: int) -> int | None:
        """One word; where to go on, or None when it lacks its argument."""
        word, quoted = self.words[at]
        behind = self.words[at + 1][0] if at + 1 < len(self.words) else None
        if quoted or word[:1] not in ("!", "-") or (word[0] == "!" and word != "!"):
            self.data(word, quoted)
        elif word == "!":
            if behind is not None and behind[:1] == "-":
                self.inverted = True
            else:
                self.out.append(self.blank + word)
            self.blank = " "
        elif word in _TARGETS and behind is not None and (behind in self.chains or behind == self.chain):
            self.close(everything=True)
            self.outer = "goto" if word in ("-g", "--goto") else "call"
            self.out.append(f"        <{self.outer} >\n          <{behind} />\n")
            return at + 2
        elif word in _TARGETS or word in _MODULES:
            if behind is None:
                return None
            self.close(everything=True)
            self.out.append(f"        <{behind} ")
            self.outer = "" if self.opens(at + 2) else behind
            self.out.append(">\n" if self.outer else " />\n")
            return at + 2
        else:
            self.option(word.lstrip("-"), behind)
        return at + 1

    def option(self, tag: str, behind: str | None) -> None:
        self.close(everything=False)
        self.out.append(f"          <{tag} " + (' invert="1"' if self.inverted else ""))
        self.inverted, self.blank = False, ""
        self.inner = "" if behind is None or behind[:1] == "-" else tag
        self.out.append(">" if self.inner else " />\n")

    def data(self, word: str, quoted: bool) -> None:
        mark = "&quot;" if quoted or " " in word else ""
        self.out.append(f"{self.blank}{mark}{encode(word)}{mark}")
        self.blank = " "

    def close(self, everything: bool) -> None:
        if self.inner:
            self.out.append(f"</{self.inner}>\n")
            self.inner = ""
        if everything:
            if self.outer:
                self.out.append(f"        </{self.outer}>\n")
            self.outer, self.blank, self.inverted = "", "", False
