"""What several parts of a session need: its environment, its node, its GPUs. It imports none of them."""
