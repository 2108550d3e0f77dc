"""One host with one backend in namespaces, kept up while scenarios come and go."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from iptables_emu.model.ruleset import BUILTIN
from iptables_emu.packet.describe import describe_frame
from iptables_emu.scenario.kernel.conntrack import ConntrackTable
from iptables_emu.scenario.kernel.events import Listeners
from iptables_emu.scenario.kernel.furnish import fingerprints, make_accounts
from iptables_emu.scenario.kernel.klog import KernelLog
from iptables_emu.scenario.kernel.netlink import Nfnetlink
from iptables_emu.scenario.kernel.process import Done, pinned_to_cpu, run_command
from iptables_emu.scenario.kernel.queue import QueueListeners
from iptables_emu.scenario.kernel.rules import RuleIndex
from iptables_emu.scenario.kernel.steps import Steps
from iptables_emu.scenario.kernel.testbed import Testbed, write_sysctl
from iptables_emu.scenario.kernel.trace import LogTrace, NftTrace, TraceEvent, tracing_script
from iptables_emu.scenario.kernel.tracker import Tracker
from iptables_emu.scenario.kernel.wire import Frame, Wire

PROGRAMS: Final = {"ipv4": "iptables", "ipv6": "ip6tables"}
FAMILY_NUMBERS: Final = {"ipv4": int(socket.AF_INET), "ipv6": int(socket.AF_INET6)}
NFT_DELTABLE: Final = 2
LOG_EVERYTHING_INVALID: Final = 255
# these change sets and other objects, and switch on the counters of connections
LEAVES_TRACES: Final = re.compile(r"-j (SET|RATEEST)|-m nfacct|-m (connbytes|connlabel)|--(map|add|del)-set")
# the kernel rations these ICMP errors per destination
RATIONED: Final = re.compile(r"icmp type (5 |3 code (0|1|13) )|icmpv6 type 137 ")
# errors use up the ration of IPv6 redirects, which need a link-local address
RATIONED_WITH_LINK_LOCAL: Final = re.compile(r"icmpv6 type (1|3|4) ")
QUIET_ROUNDS: Final = 2

Scenario = dict[str, Any]
Observation = dict[str, Any]
Pending = list[tuple[Observation, list[TraceEvent]]]


def rulesets_of(scenario: Scenario) -> dict[str, str]:
    """The rulesets by family, each as one text."""
    return {
        family: text if isinstance(text, str) else "".join(f"{line}\n" for line in text)
        for family, text in scenario.get("rulesets", {}).items()
    }


def tables_of(rulesets: dict[str, str]) -> list[tuple[str, str]]:
    """The (family, table) pairs that rulesets name, in the order in which they are made."""
    return [
        (family, line[1:].strip())
        for family, text in rulesets.items()
        for line in text.splitlines()
        if line.startswith("*")
    ]


class Session:
    """Namespaces, sockets and what is known of the ruleset in them."""

    def __init__(self, host: dict[str, Any], backend: str, ipv6: bool, klog: KernelLog):
        self._backend, self._klog, self._cpu = backend, klog, host.get("cpu")
        self._spoilt = False
        self._link_local = "fe80:" in json.dumps(host)
        # what is left of rations and what neighbours have answered outlives a scenario
        self._spoilt |= "icmp_rate" in json.dumps(host) or "icmp.rate" in json.dumps(host)
        self._spoilt |= any(config.get("arp") for config in host.get("interfaces", {}).values())
        self._tables: list[tuple[str, str]] | None = None  # of the last rulesets
        self._empty: dict[str, str] = {}  # legacy: the last rulesets' tables as they were at first
        self._saved: tuple[str, dict[str, str]] = ("", {})  # the last rulesets given, and as saved
        with contextlib.ExitStack() as undo:
            undo.enter_context(fingerprints(host.get("osf", "")))
            self._bed = Testbed(host, ipv6)
            undo.callback(self._bed.close)
            with self._bed.host.entered():
                for family in FAMILY_NUMBERS.values():
                    write_sysctl(f"net.netfilter.nf_log.{family}", "nfnetlink_log")
                write_sysctl("net.netfilter.nf_conntrack_log_invalid", LOG_EVERYTHING_INVALID)
                run_command(["nft", "-f", "-"], tracing_script(backend))
                self._names = dict(socket.if_nameindex())
                self._log_trace = LogTrace()
                undo.callback(self._log_trace.close)
                self._trace = NftTrace() if backend == "nft" else self._log_trace
                undo.callback(self._trace.close)
                self._control = Nfnetlink()
                undo.callback(self._control.close)
                self._conntrack = ConntrackTable()
                undo.callback(self._conntrack.close)
                make_accounts(host.get("nfacct", {}), self._control)
                self._listeners = QueueListeners(host.get("queue", {}))
                undo.callback(self._listeners.close)
            self._wire = Wire(self._bed)
            undo.callback(self._wire.close)
            self._bed.join_bridges()
            self._steps = Steps(self._bed, self._wire, self._conntrack, backend)
            undo.callback(self._steps.close_sockets)
            self._undo = undo.pop_all()

    def close(self) -> None:
        """Close sockets and delete the namespaces."""
        self._undo.close()

    def spoil(self) -> None:
        """Say that no other scenario can be run here."""
        self._spoilt = True

    def fit_for(self, scenario: Scenario) -> bool:
        """Whether it is as good as a new one for this scenario.

        Legacy tables never go away, and iptables-save shows them in the order in which they were first made.
        """
        if self._spoilt or self._steps.spoilt:
            return False
        return self._backend == "nft" or self._tables in (None, tables_of(rulesets_of(scenario)))

    def run(self, scenario: Scenario) -> Observation:
        """Load the rulesets, carry out the steps, and tell what was seen."""
        rulesets = rulesets_of(scenario)
        everything = json.dumps([rulesets, scenario.get("steps", [])])
        observe = scenario.get("observe", ["conntrack", "save"])
        # which families' expectations are told: conntrack lists one at a time
        expect = sorted(rulesets) if "expect" in observe or "helper" in everything else []
        self._tables = tables_of(rulesets)
        with pinned_to_cpu(self._cpu):
            self._settle()
        load = self._load(rulesets, scenario.get("restore_options", []))
        observation: Observation = {"load": load, "steps": []}
        pending: Pending = []  # their traces still lack the rules
        if " LOG" in everything or "log_martians" in json.dumps(scenario.get("host", {})):
            self._klog.start()
        listeners = Listeners(self._bed.host) if "events" in observe else None
        try:
            for step in scenario.get("steps", []) if load["rc"] == 0 else []:
                if "iptables" in step:
                    self._resolve(pending, self._save())
                seen, events = self._do(step)
                self._observe(seen, observe, expect)
                pending.append((seen, events))
                observation["steps"].append(seen)
            saved = self._saved_for(scenario, everything, fresh="save" in observe)
            self._resolve(pending, saved)
            if listeners is not None:
                observation["events"] = listeners.stop()
        finally:
            if listeners is not None:
                listeners.close()
            self._klog.stop()
            self._steps.close_sockets()
        if "save" in observe:
            observation["save"] = saved["ipv4"]
            if "ipv6" in saved:
                observation["save6"] = saved["ipv6"]
        return observation

    # -- rulesets -----------------------------------------------------------------------------------

    def _tool(self, family: str, what: str, *arguments: str, stdin: str = "") -> Done:
        with self._bed.host.entered():
            return run_command([f"{PROGRAMS[family]}-{self._backend}{what}", *arguments], stdin, check=False)

    def _load(self, rulesets: dict[str, str], options: Iterable[str]) -> dict[str, Any]:
        """Replace everything by these rulesets; exit status and stderr, of the first that is not taken quietly."""
        if self._backend == "nft":
            for number in FAMILY_NUMBERS.values():
                self._control.nftables_batch(NFT_DELTABLE, number)
        # restore makes new rules before it frees the old ones, so without this named state would live on;
        # and legacy's keeps the policy of a chain that it does not name
        for family, text in self._empty.items():
            self._tool(family, "-restore", stdin=text)
        self._conntrack.flush()
        everything = "".join(rulesets.values())
        if self._backend == "legacy":
            self._empty = {family: _at_first(text) for family, text in rulesets.items()}
        self._spoilt |= bool(LEAVES_TRACES.search(everything)) or self._bed.has_bridges  # they learn addresses
        for family, text in rulesets.items():
            done = self._tool(family, "-restore", *options, stdin=text)
            if done.returncode or done.stderr:
                self._spoilt |= self._backend == "legacy"  # who knows which tables it made
                return {"rc": done.returncode, "stderr": done.stderr}
        return {"rc": 0, "stderr": ""}

    def _save(self) -> dict[str, str]:
        """iptables-save -c of each family, without comments (they hold the time)."""
        saved = {}
        for family in PROGRAMS if self._bed.ipv6 else ("ipv4",):
            lines = self._tool(family, "-save", "-c").stdout.splitlines()
            saved[family] = "".join(f"{line}\n" for line in lines if not line.startswith("#"))
        return saved

    def _saved_for(self, scenario: Scenario, key: str, fresh: bool) -> dict[str, str]:
        """The ruleset as saved; if not ``fresh``, counters may be those of an earlier run."""
        if not fresh and self._saved[0] == key:
            return self._saved[1]
        saved = self._save()
        if not any("iptables" in step for step in scenario.get("steps", [])):
            self._saved = (key, saved)
        return saved

    def _resolve(self, pending: Pending, saved: dict[str, str]) -> None:
        """Turn the trace events of steps into packets and traversals, with this ruleset."""
        rules = RuleIndex()
        for family, text in saved.items():
            rules.add_save(family, text)
            if self._backend == "nft":
                rules.add_handles(self._control, FAMILY_NUMBERS[family])
        for seen, events in pending:
            tracker = Tracker(self._backend, rules, self._names.get)
            tracker.feed(events)
            seen.update(tracker.observation())
            replies = [packet["seen"] for packet in seen["packets"] if packet["path"][0] == "OUTPUT"]
            self._spoilt |= any(RATIONED.search(reply) for reply in replies)
            self._spoilt |= self._link_local and any(RATIONED_WITH_LINK_LOCAL.search(reply) for reply in replies)
            seen["delivered_locally"] = any(packet["fate"] == "delivered" for packet in seen["packets"])
        pending.clear()

    # -- steps --------------------------------------------------------------------------------------

    def _do(self, step: dict[str, Any]) -> tuple[Observation, list[TraceEvent]]:
        self._log_trace.invalid = []
        with pinned_to_cpu(self._cpu):
            self._steps.do(step)
            events, frames = self._settle()
        emitted = [
            {"iface": interface, "frame_hex": frame.hex(), "summary": describe_frame(frame)}
            for interface, frame in frames
        ]
        return {"trace": [], "emitted": emitted}, events

    def _settle(self) -> tuple[list[TraceEvent], list[Frame]]:
        """Wait until the kernel is done; the trace events and the frames sent meanwhile."""
        events: list[TraceEvent] = []
        frames: list[Frame] = []
        quiet = 0
        while quiet < QUIET_ROUNDS:
            more_frames = self._wire.fence()
            more_events = self._trace.drain()
            quiet = 0 if self._listeners.answer() or more_frames or more_events else quiet + 1
            events += more_events
            frames += more_frames
        if self._trace is not self._log_trace:
            self._log_trace.drain()  # the reasons for INVALID
        return events, frames

    def _observe(self, seen: Observation, observe: list[str], expect: list[str]) -> None:
        """Add what the kernel tells besides the trace."""
        seen["log"] = self._klog.drain()
        seen["conntrack_invalid"] = self._log_trace.invalid
        if "conntrack" in observe:
            seen["conntrack"] = self._conntrack.entries()
        if expect:
            with self._bed.host.entered():
                lists = [run_command(["conntrack", "-L", "expect", "-f", family], check=False) for family in expect]
            seen["expectations"] = [line for told in lists for line in told.stdout.splitlines()]
        if "snmp" in observe:
            seen["snmp"] = self._snmp()
        if self._steps.note:
            seen["note"] = self._steps.note

    def _snmp(self) -> dict[str, int]:
        """The counters of /proc/net/snmp and netstat that are not zero, since the host was made."""
        counters: dict[str, int] = {}
        with self._bed.host.entered():
            for name in ("snmp", "netstat"):
                lines = Path("/proc/thread-self/net", name).read_text().splitlines()
                for head, values in zip(lines[::2], lines[1::2], strict=True):
                    group, *keys = head.split()
                    pairs = zip(keys, values.split()[1:], strict=True)
                    counters.update({group[:-1] + key: int(value) for key, value in pairs if value != "0"})
        return counters


def _at_first(text: str) -> str:
    """The tables of a ruleset as they are at first: without rules, with their policies open."""
    tables = re.findall(r"^\*(\w+)", text, re.M)
    return "".join(
        f"*{table}\n" + "".join(f":{chain} ACCEPT [0:0]\n" for chain in BUILTIN[table]) + "COMMIT\n"
        for table in tables
        if table in BUILTIN
    )
