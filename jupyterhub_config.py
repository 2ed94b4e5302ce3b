"""JupyterHub's configuration, for the embedded run and for a production site.

Everything is in the site's file: $FABRIC_HUB_SITE, or /etc/fabric-hub/site.toml.
A site adds its own settings (login, branding, batchspawner's req_*) in the file
that hub.extra_config names; it is read last and wins.
"""

from fabric_hub.hub import complete, configure

c = get_config()  # noqa: F821  (JupyterHub gives it)

settings = configure(c)

if settings.hub.extra_config:
    load_subconfig(str(settings.hub.extra_config))  # noqa: F821
    complete(c, settings)
