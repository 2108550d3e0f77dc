"""ipset's sets as the kernel keeps them (kernel: net/netfilter/ipset): :class:`IpSets` is the way in."""

from iptables_emu.host.ipset.element import Ext, Key, Request, SetError
from iptables_emu.host.ipset.sets import IpSets

__all__ = ["Ext", "IpSets", "Key", "Request", "SetError"]
