"""Reading the symbols of an object file (ELF, 64 bits, little-endian)."""

from __future__ import annotations

import struct

_MAGIC = b"\x7fELF\x02\x01"
_SYMBOL_TABLE = 2
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_MADE_BY_LINKERS = frozenset({"_GLOBAL_OFFSET_TABLE_"})


def undefined_symbols(made: bytes) -> list[str]:
    """What an object uses and does not hold; nothing of files of other formats."""
    if not made.startswith(_MAGIC):
        return []
    (start,) = struct.unpack_from("<Q", made, 0x28)
    size, count = struct.unpack_from("<HH", made, 0x3A)
    sections = [_SECTION.unpack_from(made, start + i * size) for i in range(count)]
    found: list[str] = []
    for _, kind, _, _, offset, length, link, *_ in sections:
        if kind != _SYMBOL_TABLE:
            continue
        names = sections[link][4]
        for position in range(offset, offset + length, _SYMBOL.size):
            name, _, _, section, _, _ = _SYMBOL.unpack_from(made, position)
            text = made[names + name : made.index(b"\0", names + name)].decode(errors="replace")
            if section == 0 and text and text not in _MADE_BY_LINKERS:
                found.append(text)
    return found
