# SPDX-License-Identifier: LGPL-2.1-or-later
"""config.json files that are no JSON, or not the object that one has to be.

(name, bytes, what the error matches; None: it may also be taken as it is)
"""

from harness.config import Config

GOOD = Config("true").text().encode()

TEXTS = [
    ("empty", b"", ""),
    ("blank", b" \n\t ", ""),
    ("cut", GOOD[:len(GOOD) // 2], ""),
    ("cut by one", GOOD[:-1], ""),
    ("one brace too many", GOOD + b"}", ""),
    ("text behind", GOOD + b" x", ""),
    ("two documents", GOOD + GOOD, ""),
    ("a NUL at the end", GOOD + b"\0", ""),
    ("a NUL in the middle", GOOD.replace(b"rootfs", b"root\0fs"), ""),
    ("only NULs", b"\0" * 100, ""),
    ("a byte order mark", b"\xef\xbb\xbf" + GOOD, ""),
    ("UTF-16", GOOD.decode().encode("utf-16"), ""),
    ("not UTF-8", GOOD.replace(b"inside", b"in\xffside"), ""),
    ("an array", b"[]", "object"),
    ("a string", b'"x"', "object"),
    ("a number", b"7", "object"),
    ("null", b"null", "object"),
    ("no properties", b"{}", "ociVersion"),
    ("a comment", b"/* c */" + GOOD, ""),
    ("a trailing comma", GOOD[:-1] + b",}", ""),
    ("single quotes", GOOD.replace(b'"', b"'"), ""),
    ("a raw newline in a string", GOOD.replace(b"inside", b"in\nside"), ""),
    ("a bad escape", GOOD.replace(b"inside", b"in\\xside"), ""),
    ("half a surrogate", GOOD.replace(b"inside", b"\\ud800"), None),
    ("an escaped NUL", GOOD.replace(b"inside", b"in\\u0000side"), "hostname"),
    ("a thousand levels", b'{"x":' * 1000 + b"1" + b"}" * 1000, ""),
    ("a hundred thousand levels", b"[" * 100000, ""),
    ("NaN", GOOD.replace(b'"uid": 0', b'"uid": NaN'), ""),
    ("Infinity", GOOD.replace(b'"uid": 0', b'"uid": Infinity'), ""),
    ("a leading plus", GOOD.replace(b'"uid": 0', b'"uid": +1'), ""),
    ("hexadecimal", GOOD.replace(b'"uid": 0', b'"uid": 0x10'), ""),
    ("two values for a key", GOOD.replace(b'"uid": 0', b'"uid": 1, "uid": 0'), None),
    ("random bytes", bytes((n * 37 + 11) % 256 for n in range(4096)), ""),
]
