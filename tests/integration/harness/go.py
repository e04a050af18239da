# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Go's encoding/json does: it has written nearly every config.json that there is."""

import json

ESCAPED = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def marshal(value):
    """The text of a value. Bytes of UTF-8 stand as they are, where Python's own default escapes them."""
    return json.dumps(value, ensure_ascii=False).translate(ESCAPED)
