"""The peer: a stock JupyterHub with a stock batchspawner.SlurmSpawner, configured as its README says.

Everything that differs between machines is in the JSON file that $BENCH_PEER names.
"""

import json
import os
from pathlib import Path

import batchspawner  # noqa: F401  (its README: it registers the API on which servers post their port)

c = get_config()  # type: ignore[name-defined]  # noqa: F821  (JupyterHub gives it)
peer = json.loads(Path(os.environ["BENCH_PEER"]).read_text())

c.JupyterHub.bind_url = f"http://127.0.0.1:{peer['public']}"
c.JupyterHub.hub_ip = "127.0.0.1"
c.JupyterHub.hub_port = peer["hub"]
c.JupyterHub.db_url = "sqlite:///jupyterhub.sqlite"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{peer['proxy_api']}"
c.ConfigurableHTTPProxy.command = peer["proxy_command"]
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.allow_named_servers = True
c.JupyterHub.services = [{"name": "bench", "api_token": peer["token"]}]
c.JupyterHub.load_roles = [
    {"name": "bench", "services": ["bench"], "scopes": ["admin:users", "admin:servers", "access:servers", "read:hub"]}
]

c.JupyterHub.spawner_class = "batchspawner.SlurmSpawner"
c.Spawner.default_url = "/lab"
c.SlurmSpawner.req_partition = peer["partition"]
c.SlurmSpawner.req_gres = peer["gres"]
c.SlurmSpawner.req_nprocs = str(peer["cpus"])
c.SlurmSpawner.req_memory = f"{peer['memory_mb']}M"
c.SlurmSpawner.req_runtime = "1:00:00"
c.SlurmSpawner.req_prologue = f"export PATH={peer['environment']}/bin:$PATH"
# The names of the embedded cluster's nodes do not resolve; all of them are this machine.
c.SlurmSpawner.state_exechost_exp = "127.0.0.1"
# The first is JupyterHub's own default. Slurm's clients find the embedded cluster by SLURM_CONF, and srun
# passes on PATH, which the prologue sets, only when it is among these.
c.Spawner.env_keep = ["JUPYTERHUB_SINGLEUSER_APP", "PATH", "SLURM_CONF"]
# Twelve at once take longer than the limits that are meant for one.
c.Spawner.start_timeout = 3600
c.Spawner.http_timeout = 600
# As ours: a queue must not refuse the next one.
c.JupyterHub.concurrent_spawn_limit = 0
