"""Backup and restore of hub, record of sessions, catalogue and audit log, as of one moment.

:mod:`.make` takes one, :mod:`.restore` puts one back. Each account's part is read and written by a process that has
become that account (:mod:`.helper`). Which grants a restore leaves open is decided by :mod:`.grants`, which is pure,
on what :mod:`.evidence` reads.
"""
