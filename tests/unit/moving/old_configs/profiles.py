"""Profiles by partition, as wrapspawner's documentation shows them."""

import batchspawner
from wrapspawner import ProfilesSpawner

c.JupyterHub.port = 8443
c.JupyterHub.base_url = "/jupyter/"
c.JupyterHub.hub_ip = "0.0.0.0"
c.JupyterHub.spawner_class = "wrapspawner.ProfilesSpawner"
c.JupyterHub.authenticator_class = "oauthenticator.generic.GenericOAuthenticator"
c.GenericOAuthenticator.client_id = "jupyter"
c.GenericOAuthenticator.client_secret = "not-to-be-shown-anywhere"
c.GenericOAuthenticator.allow_all = True

c.Spawner.http_timeout = 120
c.Spawner.options_form = "<label>Hours</label><input name='hours'>"
c.SlurmSpawner.req_nprocs = "2"
c.SlurmSpawner.req_prologue = "module load anaconda"
c.SlurmSpawner.batch_submit_cmd = "/opt/slurm/bin/sbatch --parsable"
c.ProfilesSpawner.ip = "0.0.0.0"
c.ProfilesSpawner.profiles = [
    (
        "Interactive: 2 cores, 4 GB, 8 hours",
        "small",
        "batchspawner.SlurmSpawner",
        dict(req_partition="interactive", req_runtime="8:00:00", req_memory="4gb", req_options=""),
    ),
    (
        "GPU: 2 A100, 64 GB, 24 hours",
        "A100 x2",
        "batchspawner.SlurmSpawner",
        dict(
            req_partition="gpu",
            req_nprocs="16",
            req_runtime="1-0",
            req_memory="64gb",
            req_gres="gpu:a100:2",
            req_qos="GPU-Day",
            req_options="--constraint=hbm --exclusive",
        ),
    ),
    ("Long: 4 hours of everything", "long", "batchspawner.SlurmSpawner", dict(req_options="-p long -c 8 -t 4:00:00")),
    ("On this machine", "local", "jupyterhub.spawner.LocalProcessSpawner", {"ip": "127.0.0.1"}),
]
