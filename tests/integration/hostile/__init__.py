# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bad input, as tables: what is given, and what the error has to say."""
