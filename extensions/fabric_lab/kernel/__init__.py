"""What runs in a kernel: the widgets of a notebook, and what they show."""
