# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is seen in one boot of a machine, and in the next one ($BOOT says which): test_first.py and test_second.py."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))

collect_ignore = ["test_second.py" if os.environ["BOOT"] == "1" else "test_first.py"]
