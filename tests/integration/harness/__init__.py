# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the integration tests are written with; a module a concept."""
