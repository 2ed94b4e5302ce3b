"""Every setting of a site's file."""

from __future__ import annotations

from pydantic import BaseModel

from fabric_hub.config import settings
from fabric_hub.config.assurance import Asks
from fabric_hub.config.catalogue import CatalogueSettings, ExportSettings, PoolSettings
from fabric_hub.config.folders import FoldersSettings
from fabric_hub.config.hub import HubSettings
from fabric_hub.config.log import LogSettings
from fabric_hub.config.login import AccountsSettings, LoginSettings, ProviderSettings
from fabric_hub.config.notices import NoticesSettings
from fabric_hub.config.privacy import PrivacySettings
from fabric_hub.config.quotas import QuotasSettings, StorageSettings
from fabric_hub.config.site import SiteSettings
from fabric_hub.config.support import MailSettings, ReportsSettings
from fabric_hub.config.users import UserSettings

from .markdown import NOTE, fields, plain, texts


def sections() -> list[tuple[str, type[BaseModel]]]:
    """The tables of the site's file with the model that each one holds."""
    return [
        ("site", SiteSettings),
        ("hub", HubSettings),
        ("login", LoginSettings),
        ("login.accounts", AccountsSettings),
        ("login.provider.NAME", ProviderSettings),
        ("log", LogSettings),
        ("gateway", settings.GatewaySettings),
        ("slurm", settings.SlurmSettings),
        ("users", UserSettings),
        ("images", settings.ImagesSettings),
        ("image.NAME", settings.ImageSettings),
        ("profile.NAME", settings.Profile),
        ("project.NAME", settings.Project),
        ("project.NAME.members", settings.Members),
        ("project.NAME.asks", Asks),
        ("catalogue", CatalogueSettings),
        ("catalogue.pools.NAME", PoolSettings),
        ("catalogue.export", ExportSettings),
        ("folders", FoldersSettings),
        ("quotas", QuotasSettings),
        ("[quotas.storage]", StorageSettings),
        ("mail", MailSettings),
        ("reports", ReportsSettings),
        ("notices", NoticesSettings),
        ("privacy", PrivacySettings),
    ]


def settings_page() -> str:
    """Every setting of the site's file."""
    text = NOTE + "# Settings of the site's file\n\n"
    text += (
        f"The file is TOML. It is read from `${settings.ENV}`, or else from `{settings.DEFAULT_PATH}`.\n"
        "`fabric-hub check-config` reports every mistake in it, with its line.\n"
        "A setting without a default that is not required may be left out.\n"
        "There is an example in [packaging/site.example.toml](../../packaging/site.example.toml).\n"
    )
    for name, section in sections():
        schema = section.model_json_schema()
        if name == "project.NAME":  # its members are a table of their own
            schema["properties"].pop("members")
            schema["properties"].pop("asks")
        if name == "login":
            schema["properties"].pop("accounts")
        if name == "catalogue":
            schema["properties"].pop("export")
        if name == "quotas":
            schema["properties"].pop("storage")
        text += f"\n## [{name}]\n\n{plain(section.__doc__ or '')}\n\n"
        text += fields(schema).replace("| field |", "| setting |", 1)
    return text + texts(text)
