"""Logging in at the site's identity providers (OpenID Connect), and beside them with its passwords."""
