"""The site's file: one module per section, its loading, and its diagnostics."""
