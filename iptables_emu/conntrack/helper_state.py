"""What helpers remember of a connection (kernel: nfct_help_data)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class SipTalk:
    """``cisco_port``: where the phone listens, if that is not where it sends from (forced_dport)."""

    register_cseq: int = 0
    invite_cseq: int = 0
    cisco_port: int = 0


@dataclass(slots=True)
class PptpTalk:
    """States are those of helpers.pptp; ids are as the control connection's ends see them after translation, and
    ``told_pns`` and ``told_pac`` as they named them (nf_ct_pptp_master, nf_nat_pptp)."""

    session: int = 0
    call: int = 0
    pns: int = 0
    pac: int = 0
    told_pns: int = 0
    told_pac: int = 0


@dataclass(slots=True)
class HelperState:
    """One of them is used, as a connection has one helper; ``scan`` is SANE's: a scan was asked for."""

    sip: SipTalk = field(default_factory=SipTalk)
    pptp: PptpTalk = field(default_factory=PptpTalk)
    scan: bool = False
