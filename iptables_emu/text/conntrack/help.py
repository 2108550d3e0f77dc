"""``conntrack -h``."""

from __future__ import annotations

from iptables_emu.options.names import protocol_by_number
from iptables_emu.text.conntrack.protocols import Handler

_SECTIONS = (
    ("Commands:", (
        ("-L [table] [options]", 2, "List conntrack or expectation table"),
        ("-G [table] parameters", 2, "Get conntrack or expectation"),
        ("-D [table] parameters", 2, "Delete conntrack or expectation"),
        ("-I [table] parameters", 2, "Create a conntrack or expectation"),
        ("-U [table] parameters", 2, "Update a conntrack"),
        ("-E [table] [options]", 2, "Show events"),
        ("-F [table]", 3, "Flush table"),
        ("-C [table]", 3, "Show counter"),
        ("-S", 4, "Show statistics"),
    )),
    ("Tables: conntrack, expect, dying, unconfirmed", ()),
    ("Conntrack parameters and options:", (
        ("-n, --src-nat ip", 3, "source NAT ip"),
        ("-g, --dst-nat ip", 3, "destination NAT ip"),
        ("-j, --any-nat ip", 3, "source or destination NAT ip"),
        ("-m, --mark mark", 3, "Set mark"),
        ("-c, --secmark secmark", 3, "Set selinux secmark"),
        ("-e, --event-mask eventmask", 2, "Event mask, eg. NEW,DESTROY"),
        ("-z, --zero ", 4, "Zero counters while listing"),
        ("-o, --output type[,...]", 2, "Output format, eg. xml"),
        ("-l, --label label[,...]", 2, "conntrack labels"),
    )),
    ("Expectation parameters and options:", (
        ("--tuple-src ip", 1, "Source address in expect tuple"),
        ("--tuple-dst ip", 1, "Destination address in expect tuple"),
    )),
    ("Updating parameters and options:", (
        ("--label-add label", 1, "Add label"),
        ("--label-del label", 1, "Delete label"),
    )),
    ("Common parameters and options:", (
        ("-s, --src, --orig-src ip", 2, "Source address from original direction"),
        ("-d, --dst, --orig-dst ip", 2, "Destination address from original direction"),
        ("-r, --reply-src ip", 2, "Source addres from reply direction"),
        ("-q, --reply-dst ip", 2, "Destination address from reply direction"),
        ("-p, --protonum proto", 2, "Layer 4 Protocol, eg. 'tcp'"),
        ("-f, --family proto", 2, "Layer 3 Protocol, eg. 'ipv6'"),
        ("-t, --timeout timeout", 2, "Set timeout"),
        ("-u, --status status", 2, "Set status, eg. ASSURED"),
        ("-w, --zone value", 2, "Set conntrack zone"),
        ("--orig-zone value", 2, "Set zone for original direction"),
        ("--reply-zone value", 2, "Set zone for reply direction"),
        ("-b, --buffer-size", 2, "Netlink socket buffer size"),
        ("--mask-src ip", 3, "Source mask address"),
        ("--mask-dst ip", 3, "Destination mask address"),
    )),
)  # fmt: skip
_WIDE = ("--state", "--icmp")  # names that the real program sets off by three tabs


def usage(program: str) -> str:
    """The help text."""
    out = "Command line interface for the connection tracking system. Version 1.4.7\n"
    out += f"Usage: {program} [commands] [options]\n"
    for title, rows in _SECTIONS:
        out += f"\n{title}\n" + "".join(f"  {name}{tabs * chr(9)}{meaning}\n" for name, tabs, meaning in rows)
    return f"{out}\n"


def of_protocol(handler: Handler, number: int) -> str:
    """What a protocol adds."""
    if handler.number < 0:
        return f"Proto `{protocol_by_number(number) or 'unknown'}' help:\n  no options (unsupported)\n"
    rows = ((name, "\t\t\t" if name.startswith(_WIDE) else "\t\t", meaning) for name, meaning in handler.help)
    return f"Proto `{handler.name}' help:\n" + "".join(f"  {name}{tabs}{meaning}\n" for name, tabs, meaning in rows)
