"""What runs in a session is no package of the hub's environment: its pure parts are imported from their sources."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "extensions"))
