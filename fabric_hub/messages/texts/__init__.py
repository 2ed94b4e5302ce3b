"""Every sentence that the core has a code for, by subject. English stands here, other languages in ``locale/``."""
