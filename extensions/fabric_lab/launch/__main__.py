"""``python -I -m fabric_lab.launch``, which the hub's job scripts name."""

import sys

from .job import main

sys.exit(main())
