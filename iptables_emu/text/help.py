"""Help in our own words, made from the option tables."""

from __future__ import annotations

from collections.abc import Sequence

from iptables_emu.ext.api import Extension

_ROWS = (
    ("-A, --append CHAIN", "add the rule at the end of the chain"),
    ("-C, --check CHAIN", "is there such a rule? (status 0 or 1)"),
    ("-D, --delete CHAIN [NUMBER]", "delete a rule by its text or its number"),
    ("-I, --insert CHAIN [NUMBER]", "insert before rule NUMBER (default: first)"),
    ("-R, --replace CHAIN NUMBER", "put this rule in place of another"),
    ("-L, --list [CHAIN [NUMBER]]", "list in columns"),
    ("-S, --list-rules [CHAIN [NUMBER]]", "list as commands"),
    ("-F, --flush [CHAIN]", "delete all rules"),
    ("-Z, --zero [CHAIN [NUMBER]]", "set counters to zero"),
    ("-N, --new-chain CHAIN", "make a user chain"),
    ("-X, --delete-chain [CHAIN]", "delete a user chain"),
    ("-P, --policy CHAIN TARGET", "set a base chain's policy"),
    ("-E, --rename-chain OLD NEW", "rename a user chain"),
    ("-t, --table TABLE", "filter (default), nat, mangle, raw or security"),
    ("[!] -p, --protocol PROTO", "protocol by name or number"),
    ("[!] -s, --source ADDR[/MASK][,...]", "source address"),
    ("[!] -d, --destination ADDR[/MASK][,...]", "destination address"),
    ("[!] -i, --in-interface NAME[+]", "interface it came in by"),
    ("[!] -o, --out-interface NAME[+]", "interface it leaves by"),
    ("[!] -f, --fragment", "second and later fragments (IPv4)"),
    ("-m, --match MATCH", "load a match; -m MATCH -h shows its options"),
    ("-j, --jump TARGET", "what to do; -j TARGET -h shows its options"),
    ("-g, --goto CHAIN", "go on in a chain without return"),
    ("-n, --numeric", "addresses and ports as numbers"),
    ("-v, --verbose", "show more"),
    ("-x, --exact", "counters in full"),
    ("--line-numbers", "number the rules"),
    ("-c, --set-counters PKTS BYTES", "start the rule's counters there"),
    ("-w, --wait [SECONDS]", "wait for another run to finish"),
    ("-V, --version", "version"),
)


def usage(program: str, version: str, family: int, classes: Sequence[type[Extension]]) -> str:
    """``iptables -h``, with the options of the extensions loaded on the line."""
    out = [f"{program} v{version}\n\nUsage: {program} COMMAND [CHAIN] [RULE] [OPTIONS]\n\n"]
    out += [f"  {left:<40} {right}\n" for left, right in _ROWS if family == 4 or "--fragment" not in left]
    for cls in classes:
        from iptables_emu.ext.help import help_text

        out.append("\n" + help_text(cls))
    return "".join(out)


def restore_usage(program: str) -> str:
    """``iptables-restore -h``."""
    return (
        f"Usage: {program} [-c] [-n] [-t] [-v] [-T TABLE] [-w [SECONDS]] [FILE]\n"
        "  -c, --counters   take the counters in the text\n"
        "  -n, --noflush    keep the rules that are there\n"
        "  -t, --test       only check\n"
        "  -v, --verbose    say what is done\n"
        "  -T, --table      only this table\n"
        "  -V, --version    version\n"
    )
