"""The catalogue in the words of others: DCAT-AP-NL and Croissant, written and read."""
