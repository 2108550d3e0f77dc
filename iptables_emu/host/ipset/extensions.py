"""What a set keeps for each element: counters, timeout, skbinfo, comment (kernel: ip_set_core.c)."""

from __future__ import annotations

from dataclasses import dataclass

from iptables_emu.host.ipset.element import MAX_TIMEOUT, Entry, Ext, Look, Request, SetError, expiry

COMMENT_HEAD = 16  # struct ip_set_comment_rcu
MAX_COMMENT = 255
# size and alignment, in the kernel's order
_LAYOUT = (("counters", 16, 8), ("timed", 8, 8), ("skbinfo", 16, 4), ("comments", 8, 8))


@dataclass(slots=True)
class Options:
    """What ``create`` said, whatever the type; None is "not given"."""

    family: int = 0
    timeout: int | None = None
    counters: bool = False
    comments: bool = False
    skbinfo: bool = False
    forceadd: bool = False
    hashsize: int | None = None
    maxelem: int | None = None
    bucketsize: int | None = None
    initval: int | None = None
    netmask: int | None = None
    bitmask: int | None = None
    markmask: int | None = None
    size: int | None = None
    ip: int | None = None
    ip_to: int | None = None
    cidr: int | None = None
    port: int | None = None
    port_to: int | None = None


@dataclass(slots=True)
class Extensions:
    """The extensions of one set, and the bytes that its comments take."""

    timeout: int | None = None
    counters: bool = False
    comments: bool = False
    skbinfo: bool = False
    comment_bytes: int = 0

    @classmethod
    def of(cls, options: Options) -> Extensions:
        timeout = options.timeout if options.timeout is None else min(options.timeout, MAX_TIMEOUT)
        return cls(timeout, options.counters, options.comments, options.skbinfo)

    @property
    def timed(self) -> bool:
        return self.timeout is not None

    def same(self, other: Extensions) -> bool:
        mine, theirs = ((e.timeout, e.counters, e.comments, e.skbinfo) for e in (self, other))
        return mine == theirs

    def element_bytes(self, length: int, least: int = 1) -> int:
        """Bytes of an element whose value has ``length`` (ip_set_elem_len)."""
        align = least
        for name, size, needed in _LAYOUT:
            if getattr(self, name):
                align = max(align, needed)
                length = -(-length // needed) * needed + size
        return -(-length // align) * align

    def check(self, request: Request) -> None:
        """ip_set_get_extensions. Raises SetError."""
        ext = request.ext
        if ext.timeout is not None and not self.timed:
            raise SetError("TIMEOUT")
        if (ext.octets is not None or ext.packets is not None) and not self.counters:
            raise SetError("COUNTER")
        if request.with_comment and not self.comments:
            raise SetError("COMMENT")
        if request.with_mark and not self.skbinfo:
            raise SetError("SKBINFO")

    def seconds(self, ext: Ext) -> int:
        """The timeout of an addition: its own or the set's."""
        return min(ext.timeout, MAX_TIMEOUT) if ext.timeout is not None else self.timeout or 0

    def write(self, entry: Entry, ext: Ext, now: int) -> None:
        """Give an added element its extensions; counters not told stay as they are."""
        if self.counters:
            entry.packets = entry.packets if ext.packets is None else ext.packets
            entry.octets = entry.octets if ext.octets is None else ext.octets
        if self.comments:
            self.drop(entry)
            entry.comment = ext.comment[:MAX_COMMENT]
            self.comment_bytes += _comment_bytes(entry.comment)
        if self.skbinfo:
            entry.mark, entry.mark_mask, entry.prio, entry.queue = ext.mark, ext.mark_mask, ext.prio, ext.queue
        if self.timed and entry.filled:
            entry.expires = expiry(self.seconds(ext), now)

    def drop(self, entry: Entry) -> None:
        """The element goes: its comment is freed."""
        self.comment_bytes -= _comment_bytes(entry.comment)
        entry.comment = ""

    def match(self, entry: Entry, look: Look, now: int) -> bool:
        """ip_set_match_extensions: counts the packet and looks whether the element's counters fit."""
        if self.timed and entry.expired(now):
            return False
        if self.counters:
            if not look.skip_counters and look.octets:
                entry.packets = entry.packets + 1 & 0xFFFFFFFFFFFFFFFF
                entry.octets = entry.octets + look.octets & 0xFFFFFFFFFFFFFFFF
            if look.counters is not None and not look.counters.hold(entry):
                return False
        if self.skbinfo:
            look.found = entry
        return True


def _comment_bytes(text: str) -> int:
    return COMMENT_HEAD + len(text.encode("utf-8", "surrogateescape")) + 1 if text else 0
