# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program of another architecture than ours, that the same kernel runs."""

import struct

BASE = 0x08048000
HEADERS = 52 + 32
MKDIR, EXIT = 39, 1


def write(path, directory):
    """An i386 program that makes a directory; its exit status is the errno, or 0."""
    code = b"".join([
        b"\xb8" + struct.pack("<I", MKDIR),                        # mov eax, MKDIR
        b"\xbb" + struct.pack("<I", BASE + HEADERS + 31),          # mov ebx, what follows the code
        b"\xb9" + struct.pack("<I", 0o755),                        # mov ecx, 0755
        b"\xcd\x80",                                               # int 0x80
        b"\xf7\xd8\x89\xc3",                                       # neg eax; mov ebx, eax
        b"\xb8" + struct.pack("<I", EXIT),                         # mov eax, EXIT
        b"\xcd\x80",                                               # int 0x80
    ]).ljust(31, b"\x90")
    image = code + directory.encode() + b"\0"
    size = HEADERS + len(image)
    header = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\x01\x01\x01", 2, 3, 1, BASE + HEADERS, 52, 0, 0,
                         52, 32, 1, 0, 0, 0)
    segment = struct.pack("<8I", 1, 0, BASE, BASE, size, size, 5, 0x1000)
    path.write_bytes(header + segment + image)
    path.chmod(0o755)
