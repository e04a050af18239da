# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the engines' tests are written with; a module an engine, and what they share."""
