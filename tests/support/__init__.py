"""What tests are made of: sites, doubles, processes and what looks after them."""
