"""What people read: times, sizes and amounts as text."""
