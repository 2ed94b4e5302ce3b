"""One dataset as Croissant 1.1 (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html), pure.

The image of a version is one FileObject with its SHA-256, and the files of each known format in it are a FileSet.
Purposes and agreement are an ODRL offer under ``usageInfo``; where the data comes from is said with PROV; personal
data and uses also in the words of the RAI extension (http://mlcommons.org/croissant/RAI/1.0).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from fabric_hub.datasets.model import Agent, Dataset, PersonalData, Version
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import dataset_files as texts

from . import codes
from .dcat import About, dataset_iri, place

CONFORMS_TO = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
# The specification's own (appendix 1), as its validator compares it, and the vocabularies that we add.
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_PERSONAL = {
    PersonalData.NONE: "None: the dataset holds no personal data.",
    PersonalData.PSEUDONYMISED: "Pseudonymised personal data (GDPR, article 4(5)).",
    PersonalData.PERSONAL: "Personal data (GDPR, article 4(1)).",
    PersonalData.SPECIAL: "Special categories of personal data (GDPR, article 9).",
}


def croissant(dataset: Dataset, about: About, version: str | None = None) -> dict[str, Any]:
    """A version of a dataset (default: the latest) as a Croissant document.

    :raises FabricError: (404) there is no such published version.
    """
    chosen = _version(dataset, version or dataset.latest)
    node = str(dataset_iri(about, dataset.name))
    document: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "@id": node,
        "name": dataset.title or dataset.name,
        "alternateName": dataset.name,
        "conformsTo": list(CONFORMS_TO),
        "description": dataset.description,
        "license": dataset.licence,
        "url": dataset.page or node,
        "version": _semantic(chosen.version),
        "creator": _agent(dataset.creator or dataset.publisher),
        "publisher": _agent(dataset.publisher),
        "dateCreated": _day(chosen.created_at),
        "datePublished": _day(chosen.published_at),
        "dateModified": _day(chosen.retired_at or chosen.published_at),
        "keywords": list(dict.fromkeys((*dataset.keywords, *(codes.THEMES[theme] for theme in dataset.themes)))),
        "inLanguage": [code.lower() for code in dataset.languages],
        "conditionsOfAccess": dataset.access.value if dataset.access else None,
        "citeAs": _citation(dataset, chosen, node),
        "usageInfo": _usage(dataset, node),
        "prov:wasAttributedTo": _attributed(dataset.creator or dataset.publisher),
        "prov:wasGeneratedBy": {"@type": "prov:Activity", "prov:label": dataset.provenance}
        if dataset.provenance
        else None,
        "rai:dataCollection": dataset.provenance,
        "rai:dataUseCases": [purpose.text for purpose in dataset.purposes],
        "rai:personalSensitiveInformation": _PERSONAL[dataset.personal_data] if dataset.personal_data else None,
        "rai:dataReleaseMaintenancePlan": dataset.retention,
        "distribution": _distribution(dataset, chosen, about),
    }
    return {key: value for key, value in document.items() if value not in (None, [], {})}


def text(document: dict[str, Any]) -> str:
    """A document as it is written to a file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _version(dataset: Dataset, wanted: str | None) -> Version:
    found = next((one for one in dataset.versions if one.version == wanted and one.published_at is not None), None)
    if found is None:
        if wanted:
            raise FabricError(texts.NO_PUBLISHED_VERSION(dataset=dataset.name, version=wanted))
        raise FabricError(texts.NONE_PUBLISHED(dataset=dataset.name))
    return found


def _semantic(version: str) -> str:
    """``2`` is ``2.0.0``, ``1.3`` is ``1.3.0``: Croissant recommends three numbers; anything else stays as it is."""
    parts = version.split(".")
    if all(part.isdigit() and part.isascii() for part in parts) and len(parts) <= 3:
        return ".".join((*(str(int(part)) for part in parts), *("0" for _ in range(3 - len(parts)))))
    return version


def _day(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).date().isoformat()


def _agent(agent: Agent | None) -> dict[str, str] | None:
    if agent is None:
        return None
    return {"@type": "sc:Organization", "name": agent.name, **({"url": agent.uri} if agent.uri else {})}


def _attributed(agent: Agent | None) -> dict[str, str] | None:
    return {"@type": "prov:Agent", "prov:label": agent.name} if agent else None


def _citation(dataset: Dataset, version: Version, node: str) -> str:
    """The dataset as BibTeX; braces in its texts would end a field and are left out."""
    author = dataset.creator or dataset.publisher
    fields = {
        "author": f"{{{_plain(author.name)}}}" if author else None,
        "title": _plain(dataset.title or dataset.name),
        "publisher": _plain(dataset.publisher.name) if dataset.publisher else None,
        "year": (_day(version.published_at) or "")[:4],
        "version": version.version,
        "url": node,
        "note": f"SHA-256 {version.sha256}",
    }
    body = ", ".join(f"{name} = {{{value}}}" for name, value in fields.items() if value)
    return f"@misc{{{dataset.name}, {body}}}"


def _plain(line: str) -> str:
    return line.translate({ord(char): None for char in "{}\\"})


def _usage(dataset: Dataset, node: str) -> dict[str, Any] | None:
    if not (dataset.purposes or dataset.agreement):
        return None
    permission: dict[str, Any] = {"@type": "odrl:Permission", "odrl:action": {"@id": "odrl:use"}}
    if dataset.purposes:
        permission["odrl:constraint"] = {
            "@type": "odrl:Constraint",
            "odrl:leftOperand": {"@id": "odrl:purpose"},
            "odrl:operator": {"@id": "odrl:isAnyOf"},
            "odrl:rightOperand": [
                {"@type": "DefinedTerm", "@id": f"{node}#purpose-{one.name}", "termCode": one.name, "name": one.text}
                for one in dataset.purposes
            ],
        }
    terms = {"text": dataset.agreement.text, "version": dataset.agreement.version} if dataset.agreement else {}
    name = f"Terms of use of {dataset.title or dataset.name}"
    policy = {"@type": ["CreativeWork", "odrl:Offer"], "@id": f"{node}#policy", "name": name, **terms}
    return {**policy, "odrl:permission": permission}


def _distribution(dataset: Dataset, version: Version, about: About) -> list[dict[str, Any]]:
    """The whole version as one FileObject, and a FileSet for each suffix that is a known media type."""
    whole = f"{dataset.name}-{version.version}"
    image = version.kind == "image"
    resources: list[dict[str, Any]] = [
        {
            "@type": "cr:FileObject",
            "@id": whole,
            "name": whole,
            "description": f"All {version.files} files, as a session finds them in {about.data_dir}/{dataset.name}/"
            f"{version.version}. The SHA-256 is that of the "
            + ("SquashFS image." if image else "listing (path, size and digest of every file)."),
            "contentUrl": place(about, dataset.name, version.version),
            "contentSize": f"{version.bytes} B",
            "encodingFormat": codes.SQUASHFS.standard if image else "inode/directory",
            "sha256": version.sha256,
        }
    ]
    for suffix, count in sorted(version.formats.items()):
        known = codes.format_of(suffix)
        if known and (known.media_type or known.standard):
            resources.append(
                {
                    "@type": "cr:FileSet",
                    "@id": f"{whole}-{suffix}",
                    "name": f"{whole}-{suffix}",
                    "description": f"{count} {suffix.upper()} files.",
                    "containedIn": {"@id": whole},
                    "encodingFormat": known.media_type or known.standard,
                    "includes": [f"*.{suffix}", f"**/*.{suffix}"],
                }
            )
    return resources
