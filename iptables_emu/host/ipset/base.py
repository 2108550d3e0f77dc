"""What every set has, whatever its type."""

from __future__ import annotations

from collections.abc import Iterator

from iptables_emu.host.ipset.element import HZ, Entry, Ext, Key, Look, Request
from iptables_emu.host.ipset.extensions import Extensions, Options
from iptables_emu.host.ipset.kinds import Kind

GC_SECONDS = 180


class BaseSet:
    """A set; times are ticks. The functions that change it raise SetError."""

    name = ""

    def __init__(self, kind: Kind, options: Options, now: int) -> None:
        self.kind = kind
        self.family = options.family
        self.ext = Extensions.of(options)
        self.forceadd = options.forceadd
        self.collection_period = HZ * (min((self.ext.timeout or 0) // 3, GC_SECONDS) or 1)
        self.next_collection = now + self.collection_period

    def change(self, request: Request, do: str, exist: bool, now: int) -> None:
        """Add or delete from user space; ``exist`` forgives what is there already, or is not."""
        raise NotImplementedError

    def test(self, request: Request, now: int) -> bool:
        """Test from user space."""
        raise NotImplementedError

    def by_packet(self, key: Key, do: str, look: Look, ext: Ext, exist: bool, now: int) -> bool | None:
        """Add, delete or test a packet's values; of a test: True, None, or False for an element marked nomatch."""
        raise NotImplementedError

    def flush(self) -> None:
        """Throw out all elements."""
        raise NotImplementedError

    def entries(self, now: int) -> Iterator[Entry]:
        """The elements as a listing tells them."""
        raise NotImplementedError

    def count(self, now: int) -> int:
        """The number of entries that a listing tells."""
        raise NotImplementedError

    def memory(self, now: int) -> int:
        """The "Size in memory" of a listing."""
        raise NotImplementedError

    def same(self, other: BaseSet) -> bool:
        """Whether another set was made with the same parameters (for ``-exist``)."""
        raise NotImplementedError
