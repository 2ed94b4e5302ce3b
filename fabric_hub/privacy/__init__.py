"""What is kept of people: the register of every personal field, and export and erasure by it."""
