"""A hook picks the partition by the user's Unix groups; passwords are the directory's."""

import grp
import os

from batchspawner import SlurmSpawner
from site_directory_login import DirectoryAuthenticator

c = get_config()

c.JupyterHub.authenticator_class = DirectoryAuthenticator
c.DirectoryAuthenticator.server_address = "ldaps://directory.example.org"
c.JupyterHub.hub_ip = "10.0.0.5"
c.JupyterHub.template_vars = {"announcement": "Maintenance on Friday"}
c.JupyterHub.load_roles.append({"name": "reader", "scopes": ["read:users"], "groups": ["support"]})


class SiteSpawner(SlurmSpawner):
    """Keeps the last log of a job."""

    async def stop(self, now=False):
        os.unlink(os.path.expanduser(f"~{self.user.name}/.jupyter.log"))
        await super().stop(now)


c.JupyterHub.spawner_class = SiteSpawner
c.SiteSpawner.req_runtime = "4:00:00"
c.SlurmSpawner.req_runtime = "8:00:00"
c.SlurmSpawner.req_memory = "all of it"
c.Spawner.environment = {"http_proxy": "http://proxy.example.org:3128", "JUPYTERHUB_SITE": "north"}
for name in ("default_url", "notebook_dir"):
    setattr(c.Spawner, name, {"default_url": "/lab", "notebook_dir": "~"}[name])

PARTITIONS = {"staff": "long", "students": "teaching"}


def groups_of(name):
    return {group.gr_name for group in grp.getgrall() if name in group.gr_mem}


def partition_by_group(spawner):
    mine = groups_of(spawner.user.name)
    spawner.req_partition = next((part for group, part in PARTITIONS.items() if group in mine), "interactive")
    if "students" in mine:
        limits_of_course(spawner)


def limits_of_course(spawner):
    spawner.req_runtime = "2:00:00"
    spawner.environment["COURSE"] = "1"


c.SlurmSpawner.pre_spawn_hook = partition_by_group
if os.environ.get("OLD_HUB_DEBUG"):
    c.Spawner.debug = True
