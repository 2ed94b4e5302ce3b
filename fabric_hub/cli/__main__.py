"""``python -m fabric_hub.cli``: the same as the command ``fabric-hub``."""

import sys

from . import main

sys.exit(main())
