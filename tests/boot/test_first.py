# SPDX-License-Identifier: LGPL-2.1-or-later
"""It is enabled, and runs when the machine is shut down."""

import web
from harness import systemd


def test_it_is_enabled():
    web.install()
    systemd.systemctl("start", web.UNIT)
    web.until_said(["begun"])
