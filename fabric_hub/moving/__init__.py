"""What becomes of a JupyterHub configuration that was written for another hub, batchspawner's above all.

A file is read (:mod:`.reading`: run in a process of its own, or only looked at), each of its settings is judged
(:mod:`.verdicts`, pure), and a first site's file is made of it (:mod:`.site_file`, pure). The same judgement looks at
the file that ``hub.extra_config`` names, before a hub starts with it.
"""
