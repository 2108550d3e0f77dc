"""The hash types (kernel: ip_set_hash_*.c)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from iptables_emu.host.ipset import ranges
from iptables_emu.host.ipset.base import BaseSet
from iptables_emu.host.ipset.element import ADD, DEL, HOST_BITS, HZ, TEST, Entry, Ext, Key, Look, Request, SetError
from iptables_emu.host.ipset.extensions import Options
from iptables_emu.host.ipset.kinds import Kind
from iptables_emu.host.ipset.table import INIT_SIZE, MAX_SIZE, Full, Table
from iptables_emu.model.address import FULL, prefix_mask

DEFAULT_HASHSIZE, MIN_HASHSIZE = 1024, 64
DEFAULT_MAXELEM = 65536
TABLE_BYTES, REGION_BYTES = 24, 24

Expand = Callable[[ranges.HashView, Request, bool], Iterator[Key]]

EXPAND: dict[str, Expand] = {
    "hash:ip": ranges.hash_ip, "hash:mac": ranges.hash_mac, "hash:ip,mac": ranges.hash_ipmac,
    "hash:ip,mark": ranges.hash_ipmark, "hash:ip,port": ranges.hash_ipport, "hash:ip,port,ip": ranges.hash_ipport,
    "hash:ip,port,net": ranges.hash_ipportnet, "hash:net": ranges.hash_net, "hash:net,net": ranges.hash_netnet,
    "hash:net,port": ranges.hash_netport, "hash:net,port,net": ranges.hash_netportnet,
    "hash:net,iface": ranges.hash_netiface,
}  # fmt: skip


class HashSet(BaseSet):
    """A set of a hash type."""

    def __init__(self, kind: Kind, options: Options, now: int, initval: int) -> None:
        super().__init__(kind, options, now)
        if self.family not in kind.families:
            raise SetError("INVALID_FAMILY")
        self._masks(options)
        self.expand = EXPAND[kind.name]
        self.maxelem = DEFAULT_MAXELEM if options.maxelem is None else options.maxelem
        self.initval = initval if options.initval is None else options.initval
        hashsize = max(MIN_HASHSIZE, DEFAULT_HASHSIZE if options.hashsize is None else options.hashsize)
        bits = (hashsize - 1).bit_length()
        if bits > 27:
            raise SetError("ENOMEM")
        version = 0 if self.family != 6 else 1
        pack, family = kind.pack, self.family or 4
        assert pack is not None
        self.table = Table(
            self.ext, bits=bits, maxelem=self.maxelem, bucketsize=_bucketsize(options.bucketsize),
            initval=self.initval, element=self.ext.element_bytes(kind.sizes[version], 4),
            pack=lambda key: pack(key, family), several=kind.name == "hash:net,iface", forceadd=options.forceadd,
        )  # fmt: skip
        self.table.remember, self.table.forget = self._remember, self._forget
        self.lengths: tuple[dict[int, int], dict[int, int]] = ({}, {})  # prefix length -> how many, per network
        self.next_collection = now + HZ

    def _masks(self, options: Options) -> None:
        host = HOST_BITS.get(self.family, 32)
        self.netmask, self.bitmask = host, FULL[self.family or 4]
        self.markmask = 0xFFFFFFFF if options.markmask is None else options.markmask
        if self.kind.marked and self.markmask == 0:
            raise SetError("INVALID_MARKMASK")
        if not self.kind.masked:
            return
        if options.netmask is not None:
            if not 0 < options.netmask <= host:
                raise SetError("INVALID_NETMASK")
            self.netmask, self.bitmask = options.netmask, prefix_mask(options.netmask, self.family)
        if options.bitmask is not None:
            if options.netmask is not None:
                raise SetError("BITMASK_NETMASK_EXCL")
            if options.bitmask == 0:
                raise SetError("INVALID_NETMASK")
            self.bitmask = options.bitmask

    # -- prefix lengths --------------------------------------------------------------------------

    def _used(self, key: Key) -> tuple[int, ...]:
        nets = self.kind.nets
        if nets == 0:
            return ()
        if nets == 1 and self.kind.name == "hash:ip,port,net":
            return (key.cidr2,)
        return (key.cidr,) if nets == 1 else (key.cidr, key.cidr2)

    def _remember(self, key: Key) -> None:
        for lengths, bits in zip(self.lengths, self._used(key), strict=False):
            lengths[bits] = lengths.get(bits, 0) + 1

    def _forget(self, key: Key) -> None:
        for lengths, bits in zip(self.lengths, self._used(key), strict=False):
            if lengths.get(bits, 0) > 1:
                lengths[bits] -= 1
            else:
                lengths.pop(bits, None)

    def _longest(self, which: int) -> int:
        """The prefix length that a packet's address is added with."""
        return max(self.lengths[which], default=HOST_BITS[self.family])

    # -- user space ------------------------------------------------------------------------------

    def change(self, request: Request, do: str, exist: bool, now: int) -> None:
        self.collect(now)
        for key in self.expand(self, request, False):
            if do == DEL and exist and not self.table.buckets:
                return  # nothing is left to be deleted
            self._one(do, key, request.ext, request.nomatch, exist, now)

    def _one(self, do: str, key: Key, ext: Ext, nomatch: bool, exist: bool, now: int) -> None:
        while True:
            try:
                if do == ADD:
                    self.table.add(key, ext, now, nomatch=nomatch, exist=exist)
                else:
                    self.table.remove(key, now)
                return
            except Full:
                self.table.resize(now)
            except SetError as error:
                if error.code == "EXIST" and exist:
                    return
                raise

    def test(self, request: Request, now: int) -> bool:
        self.collect(now)
        key = next(self.expand(self, request, True))
        found = self.look_up(key, Look(), now)
        return bool(found) if not (request.nomatch and self.kind.nomatch) else found is False

    # -- packets ---------------------------------------------------------------------------------

    def look_up(self, key: Key, look: Look, now: int) -> bool | None:
        """True: in the set; False: an element marked nomatch holds it; None: not there (mtype_test)."""
        used = self._used(key)
        if used and all(bits == HOST_BITS[self.family] for bits in used):
            return self._by_length(key, look, now)
        for entry, equal in self.table.find(key):
            if equal and self.ext.match(entry, look, now):
                return not entry.nomatch
        return None

    def _by_length(self, key: Key, look: Look, now: int) -> bool | None:
        """An address: all prefix lengths in use, the longest first (mtype_test_cidrs)."""
        for narrowed in self._narrowed(key):
            several = False
            for entry, equal in self.table.find(narrowed):
                several = several or self.table.several
                if not equal:
                    continue
                if self.ext.match(entry, look, now):
                    return not entry.nomatch
                several = False
            if several:
                return None  # the network is there with another interface: the kernel looks no further
        return None

    def _narrowed(self, key: Key) -> Iterator[Key]:
        first, second = (sorted(lengths, reverse=True) for lengths in self.lengths)
        family = self.family
        for bits in first:
            mask = prefix_mask(bits, family)
            if self.kind.name == "hash:ip,port,net":
                yield key._replace(ip2=key.ip2 & mask, cidr2=bits)
            elif self.kind.nets == 1:
                yield key._replace(ip=key.ip & mask, cidr=bits)
            else:
                for bits2 in second:
                    yield key._replace(ip=key.ip & mask, cidr=bits, ip2=key.ip2 & prefix_mask(bits2, family),
                                       cidr2=bits2)  # fmt: skip

    def from_packet(self, key: Key, do: str) -> Key:
        """The element for a packet's values; raises SetError for those that cannot be in the set."""
        host, name = HOST_BITS.get(self.family, 32), self.kind.name
        if self.kind.nets:
            bits, bits2 = (host, host) if do == TEST else (self._longest(0), self._longest(1))
            if name == "hash:ip,port,net":
                key = key._replace(ip2=key.ip2 & prefix_mask(bits, self.family), cidr2=bits)
            else:
                key = key._replace(ip=key.ip & prefix_mask(bits, self.family) & self.bitmask, cidr=bits)
                if self.kind.nets == 2:
                    key = key._replace(ip2=key.ip2 & prefix_mask(bits2, self.family) & self.bitmask, cidr2=bits2)
            if name == "hash:net,net" and self.family == 6 and bits == host and key.ip == 0:
                raise SetError("EINVAL")
            return key
        if self.kind.marked:
            key = key._replace(mark=key.mark & self.markmask)
        if self.kind.masked:
            key = key._replace(ip=key.ip & self.bitmask)
            if key.ip == 0:
                raise SetError("EINVAL")
        return key

    def by_packet(self, key: Key, do: str, look: Look, ext: Ext, exist: bool, now: int) -> bool | None:
        self.collect(now)
        key = self.from_packet(key, do)
        if do == TEST:
            return self.look_up(key, look, now)
        try:
            if do == ADD:
                self.table.add(key, ext, now, nomatch=False, exist=exist)
            elif do == DEL:
                self.table.remove(key, now)
        except Full:
            raise SetError("EAGAIN") from None  # a packet makes no table larger
        return True

    # -- the rest --------------------------------------------------------------------------------

    def flush(self) -> None:
        for entry in self.all_entries():
            self.ext.drop(entry)
        self.table.flush()
        for lengths in self.lengths:
            lengths.clear()

    def all_entries(self) -> list[Entry]:
        return list(self.table.entries(0))

    def entries(self, now: int) -> Iterator[Entry]:
        self.collect(now)
        return self.table.entries(now)

    def count(self, now: int) -> int:
        return sum(1 for _ in self.entries(now))

    def collect(self, now: int) -> None:
        """What the kernel's collector has done since it was last looked at."""
        if not self.ext.timed or now < self.next_collection:
            return
        period = self.collection_period
        last = self.next_collection + (now - self.next_collection) // period * period
        self.table.collect(last)
        self.next_collection = last + period

    def memory(self, now: int) -> int:
        self.collect(now)
        nets = (HOST_BITS[self.family] + self.kind.net0) * (8 if self.kind.nets == 1 else 12) if self.kind.nets else 0
        version = 0 if self.family != 6 else 1
        head = -(-(self.kind.heads[version] + self.kind.sizes[version] + nets) // 8) * 8
        table = TABLE_BYTES + REGION_BYTES * self.table.regions
        return head + table + self.table.bytes + self.ext.comment_bytes

    @property
    def shown_bitmask(self) -> int | None:
        """The bitmask as ``list`` tells it."""
        full = FULL[self.family or 4]
        return self.bitmask if self.netmask == HOST_BITS.get(self.family, 32) and self.bitmask != full else None

    @property
    def shown_netmask(self) -> int | None:
        return self.netmask if self.kind.masked and self.netmask != HOST_BITS.get(self.family, 32) else None

    def same(self, other: BaseSet) -> bool:
        return (isinstance(other, HashSet) and self.maxelem == other.maxelem and self._wide_mask == other._wide_mask
                and self.markmask == other.markmask and self.ext.same(other.ext))  # fmt: skip

    @property
    def _wide_mask(self) -> int:
        """The bitmask as the kernel keeps it for both families: 128 bits, of which IPv4 changes the first 32."""
        return self.bitmask << 96 | FULL[6] >> 32 if self.family == 4 else self.bitmask


def _bucketsize(asked: int | None) -> int:
    if asked is None:
        return MAX_SIZE
    size = min(max(asked, INIT_SIZE), MAX_SIZE)
    return size + size % 2


