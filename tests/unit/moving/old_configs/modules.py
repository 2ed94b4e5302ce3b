# JupyterHub for the cluster: one kind of job for everybody, modules loaded in the batch script.
import os

c = get_config()

c.JupyterHub.bind_url = "https://jupyter.example.org:443"
c.JupyterHub.ssl_key = "/etc/jupyterhub/ssl/jupyter.key"
c.JupyterHub.ssl_cert = "/etc/jupyterhub/ssl/jupyter.crt"
c.JupyterHub.hub_ip = "10.0.0.5"
c.JupyterHub.cookie_secret_file = "/var/lib/jupyterhub/cookie_secret"
c.JupyterHub.db_url = "sqlite:////var/lib/jupyterhub/jupyterhub.sqlite"
c.ConfigurableHTTPProxy.should_start = True
c.ConfigurableHTTPProxy.auth_token = os.environ.get("CONFIGPROXY_AUTH_TOKEN", "")

c.JupyterHub.authenticator_class = "jupyterhub.auth.PAMAuthenticator"
c.PAMAuthenticator.open_sessions = False
c.Authenticator.admin_users = {"operator"}
c.Authenticator.allowed_users = {"alice", "bob", "carol"}

import batchspawner

c.JupyterHub.spawner_class = "batchspawner.SlurmSpawner"
c.Spawner.http_timeout = 120
c.Spawner.start_timeout = 600
c.BatchSpawnerBase.exec_prefix = "sudo -E -u {username}"
c.BatchSpawnerBase.req_partition = "interactive"
c.BatchSpawnerBase.req_account = "jupyter"
c.BatchSpawnerBase.req_memory = "16gb"
c.BatchSpawnerBase.req_nprocs = "4"
c.BatchSpawnerBase.req_runtime = "12:00:00"
c.BatchSpawnerBase.req_host = "login1"
c.SlurmSpawner.req_srun = ""
c.SlurmSpawner.batch_script = """#!/bin/bash
#SBATCH --partition={partition}
#SBATCH --time={runtime}
#SBATCH --output={homedir}/.jupyterhub_%j.log
#SBATCH --job-name=jupyter
#SBATCH --chdir={homedir}
#SBATCH --mem={memory}
#SBATCH --cpus-per-task={nprocs}
#SBATCH --gres=gpu:v100:1
#SBATCH --constraint=skylake
#SBATCH --export={keepvars}

module purge
module load python/3.11 cuda/12.2
module load jupyter/4
export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK
unset XDG_RUNTIME_DIR
which jupyterhub-singleuser
nvidia-smi -L
{cmd}
rm -rf $TMPDIR/jupyter
"""

c.JupyterHub.services = [
    {"name": "cull-idle", "command": ["python3", "-m", "jupyterhub_idle_culler", "--timeout=7200"]},
]
