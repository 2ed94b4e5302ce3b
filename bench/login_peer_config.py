"""The peer of logins: a stock JupyterHub with a plain GenericOAuthenticator, configured as its documentation says.

Everything that differs between machines is in the JSON file that $BENCH_PEER names.
"""

import json
import os
from pathlib import Path

c = get_config()  # type: ignore[name-defined]  # noqa: F821  (JupyterHub gives it)
peer = json.loads(Path(os.environ["BENCH_PEER"]).read_text())

c.JupyterHub.bind_url = f"http://127.0.0.1:{peer['public']}"
c.JupyterHub.hub_ip = "127.0.0.1"
c.JupyterHub.hub_port = peer["hub"]
c.JupyterHub.db_url = "sqlite:///jupyterhub.sqlite"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{peer['proxy_api']}"
c.ConfigurableHTTPProxy.command = peer["proxy_command"]
c.JupyterHub.authenticator_class = "generic-oauth"
c.GenericOAuthenticator.client_id = "peer"
c.GenericOAuthenticator.client_secret = "a secret"
c.GenericOAuthenticator.oauth_callback_url = f"http://127.0.0.1:{peer['public']}/hub/oauth_callback"
c.GenericOAuthenticator.authorize_url = f"{peer['issuer']}/oauth2/authorize"
c.GenericOAuthenticator.token_url = f"{peer['issuer']}/oauth2/token"
c.GenericOAuthenticator.userdata_url = f"{peer['issuer']}/userinfo"
c.GenericOAuthenticator.username_claim = "preferred_username"
c.GenericOAuthenticator.scope = ["openid", "profile"]
c.GenericOAuthenticator.allow_all = True
