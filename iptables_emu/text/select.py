"""The command letters: which may stand together, and the words that belong to each."""

from __future__ import annotations

from iptables_emu.options.problem import ParameterProblem
from iptables_emu.text.command import RULE_COMMANDS, Command
from iptables_emu.text.getopt import Getopt
from iptables_emu.text.words import check_chain_name, delete_number, rule_number

# of several commands so far the one with the highest CMD_* bit is named (xshared.c: cmd2char)
_CLASH_ORDER = "CSEPXNZFLARDI"
_BESIDE = {"L": "Z", "S": "Z", "Z": "LS"}
_ALONE = {letter: frozenset(letter) for letter in _CLASH_ORDER}


def select_command(
    command: Command, getopt: Getopt, letter: str, arg: str | None, inverted: bool, announced: set[str]
) -> None:
    """Note one command with its words. Raises ParameterProblem."""
    if letter == "N":
        check_chain_name(arg or "", command.family, announced)
    if inverted:
        raise ParameterProblem("unexpected '!' flag")
    if command.commands:
        allowed = _BESIDE.get(letter, "")
        clash = next((c for c in _CLASH_ORDER if c in command.commands and c not in allowed), None)
        if clash is not None:
            raise ParameterProblem(f"Cannot use -{letter} with -{clash}")
    command.commands |= _ALONE[letter]
    command.on_rule = letter in RULE_COMMANDS
    if letter in "LSFZX":
        _optional_words(command, getopt, letter, arg)
    else:
        command.chain = arg
        _words(command, getopt, letter, announced)


def _optional_words(command: Command, getopt: Getopt, letter: str, arg: str | None) -> None:
    if arg is not None:
        command.chain = arg
    elif getopt.has_arg():
        command.chain = getopt.take()
    if letter in "LSZ" and getopt.has_arg():
        command.rulenum = rule_number(getopt.take())
        if letter == "Z":
            command.commands, command.zero_one = _ALONE["Z"], True


def _words(command: Command, getopt: Getopt, letter: str, announced: set[str]) -> None:
    if letter == "D":
        if getopt.has_arg():
            command.rulenum, command.by_number, command.on_rule = delete_number(getopt.take()), True, False
    elif letter == "R":
        if not getopt.has_arg():
            raise ParameterProblem("-R requires a rule number")
        command.rulenum = rule_number(getopt.take())
    elif letter == "I":
        command.rulenum = rule_number(getopt.take()) if getopt.has_arg() else 1
    elif letter == "E":
        if not getopt.has_arg():
            raise ParameterProblem("-E requires old-chain-name and new-chain-name")
        command.newname = getopt.take()
        check_chain_name(command.newname, command.family, announced)
    elif letter == "P":
        if not getopt.has_arg():
            raise ParameterProblem("-P requires a chain and a policy")
        command.policy = getopt.take()
