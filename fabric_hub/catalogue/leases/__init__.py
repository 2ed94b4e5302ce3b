"""Unix accounts that are lent: who may, which one, and how one that was given back becomes free."""
