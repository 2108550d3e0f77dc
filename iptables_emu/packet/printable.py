"""Text from outside (rule comments, prefixes, words typed by people), made safe for a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with every character that is not plainly visible written as ``\\xNN`` (``\\uNNNN`` above 255).

    That takes in control characters, line breaks, direction marks and bytes that were no UTF-8.
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else _escape(ord(c)) for c in text)


def _escape(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was no UTF-8 (surrogateescape)
        code -= 0xDC00
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
