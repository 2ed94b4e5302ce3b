"""Typed reasons to sentences, in the reader's language: see docs/explanation/messages.md."""
