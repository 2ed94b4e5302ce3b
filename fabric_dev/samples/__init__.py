"""The demo datasets: small datasets that are made, not fetched, true to their sectors; the embedded run has them."""
