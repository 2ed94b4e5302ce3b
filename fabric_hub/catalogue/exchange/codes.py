"""Our words in the code lists of the European Publications Office, IANA and SPDX, and back. Pure data.

Lists: ``http://publications.europa.eu/resource/authority/NAME``, the ones that DCAT-AP-NL 3.0 demands
(https://docs.geostandaarden.nl/dcat/dcat-ap-nl30/#waardelijsten).
"""

from __future__ import annotations

from typing import NamedTuple

from fabric_hub.datasets.model import Access, PersonalData

AUTHORITY = "http://publications.europa.eu/resource/authority/"
MEDIA_TYPES = "https://www.iana.org/assignments/media-types/"
LICENCE_TYPES = "http://purl.org/adms/licencetype/1.0"
SHA256 = "http://spdx.org/rdf/terms#checksumAlgorithm_sha256"

SCHEMES = {
    "access-right": "Access right",
    "data-theme": "Data theme",
    "dataset-status": "Dataset status",
    "distribution-status": "Distribution status",
    "file-type": "File type",
    "language": "Language",
    "planned-availability": "Planned availability",
    LICENCE_TYPES: "Licence type",
}

ACCESS = {
    Access.PUBLIC: ("PUBLIC", "public"),
    Access.RESTRICTED: ("RESTRICTED", "restricted"),
    Access.NON_PUBLIC: ("NON_PUBLIC", "non-public"),
}

THEMES = {
    "AGRI": "Agriculture, fisheries, forestry and food",
    "ECON": "Economy and finance",
    "EDUC": "Education, culture and sport",
    "ENER": "Energy",
    "ENVI": "Environment",
    "GOVE": "Government and public sector",
    "HEAL": "Health",
    "INTR": "International issues",
    "JUST": "Justice, legal system and public safety",
    "REGI": "Regions and cities",
    "SOCI": "Population and society",
    "TECH": "Science and technology",
    "TRAN": "Transport",
}

STATUS = {"COMPLETED": "completed", "WITHDRAWN": "withdrawn"}

# Data Privacy Vocabulary (https://w3id.org/dpv), which HealthDCAT-AP takes its words for personal data from
PERSONAL_DATA = {
    PersonalData.NONE: ("hasData", "NonPersonalData"),
    PersonalData.PSEUDONYMISED: ("hasPersonalData", "PseudonymisedData"),
    PersonalData.PERSONAL: ("hasPersonalData", "PersonalData"),
    PersonalData.SPECIAL: ("hasPersonalData", "SpecialCategoryPersonalData"),
}


class Licence(NamedTuple):
    """A licence that the list of licences knows: its code, its own address, and what it asks for (ADMS)."""

    code: str
    address: str
    kind: str
    kind_label: str


_BY = ("Attribution", "Attribution")
_NC = ("NonCommercialUseOnly", "Non-commercial use only")
LICENCES = (
    Licence("CC0", "https://creativecommons.org/publicdomain/zero/1.0/", "PublicDomain", "Public domain"),
    Licence("CC_BY_4_0", "https://creativecommons.org/licenses/by/4.0/", *_BY),
    Licence(
        "CC_BYSA_4_0",
        "https://creativecommons.org/licenses/by-sa/4.0/",
        "ViralEffect-ShareAlike",
        "Viral effect (a.k.a. Share-alike)",
    ),
    Licence(
        "CC_BYND_4_0",
        "https://creativecommons.org/licenses/by-nd/4.0/",
        "NoDerivativeWork",
        "No derivative work",
    ),
    Licence("CC_BYNC_4_0", "https://creativecommons.org/licenses/by-nc/4.0/", *_NC),
    Licence("CC_BYNCSA_4_0", "https://creativecommons.org/licenses/by-nc-sa/4.0/", *_NC),
    Licence("CC_BYNCND_4_0", "https://creativecommons.org/licenses/by-nc-nd/4.0/", *_NC),
)


class Format(NamedTuple):
    """A file format: its code in the list of file types, its IANA media type, and the document that defines it."""

    code: str
    media_type: str | None = None
    standard: str | None = None
    title: str = ""


_JPEG = Format("JPEG", "image/jpeg", "https://www.w3.org/Graphics/JPEG/itu-t81.pdf", "JPEG (ITU-T T.81)")
_TIFF = Format("TIFF", "image/tiff", "https://www.rfc-editor.org/rfc/rfc3302", "TIFF (RFC 3302)")
_HDF = Format("HDF", None, "https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html", "HDF5 file format")
_HTML = Format("HTML", "text/html", "https://html.spec.whatwg.org/", "HTML")
FORMATS = {
    "csv": Format("CSV", "text/csv", "https://www.rfc-editor.org/rfc/rfc4180", "CSV (RFC 4180)"),
    "geojson": Format(
        "GEOJSON", "application/geo+json", "https://www.rfc-editor.org/rfc/rfc7946", "GeoJSON (RFC 7946)"
    ),
    "gpkg": Format("GPKG", "application/geopackage+sqlite3", "https://www.geopackage.org/spec/", "OGC GeoPackage"),
    "gz": Format("GZIP", "application/gzip", "https://www.rfc-editor.org/rfc/rfc1952", "gzip (RFC 1952)"),
    "h5": _HDF,
    "hdf5": _HDF,
    "htm": _HTML,
    "html": _HTML,
    "jpeg": _JPEG,
    "jpg": _JPEG,
    "json": Format("JSON", "application/json", "https://www.rfc-editor.org/rfc/rfc8259", "JSON (RFC 8259)"),
    "jsonld": Format("JSON_LD", "application/ld+json", "https://www.w3.org/TR/json-ld11/", "JSON-LD 1.1"),
    "md": Format("TXT", "text/markdown"),
    "nc": Format(
        "NETCDF", None, "https://docs.unidata.ucar.edu/netcdf-c/current/file_format_specifications.html", "NetCDF"
    ),
    "parquet": Format(
        "PARQUET", "application/vnd.apache.parquet", "https://parquet.apache.org/docs/file-format/", "Apache Parquet"
    ),
    "pdf": Format("PDF", "application/pdf", "https://www.iso.org/standard/75839.html", "PDF 2.0 (ISO 32000-2)"),
    "png": Format("PNG", "image/png", "https://www.w3.org/TR/png-3/", "PNG"),
    "tif": _TIFF,
    "tiff": _TIFF,
    "tsv": Format("TSV", "text/tab-separated-values"),
    "ttl": Format("RDF_TURTLE", "text/turtle", "https://www.w3.org/TR/turtle/", "RDF 1.1 Turtle"),
    "txt": Format("TXT", "text/plain"),
    "xlsx": Format("XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "xml": Format("XML", "application/xml", "https://www.w3.org/TR/xml/", "XML 1.0"),
    "zip": Format("ZIP", "application/zip"),
}
SQUASHFS = Format(
    "OCTET", None, "https://docs.kernel.org/filesystems/squashfs.html", "SquashFS 4.0, a read-only file system image"
)
_ABOUT_THE_DATA = frozenset({"md", "txt", "pdf", "html", "htm"})


def format_of(suffix: str) -> Format | None:
    """The format of files with a suffix, with or without its dot and in any case; ``csv.gz`` is gzip."""
    plain = suffix.lower().lstrip(".")
    return FORMATS.get(plain) or FORMATS.get(plain.rpartition(".")[2])


def formats(suffixes: dict[str, int]) -> list[Format]:
    """The known formats among files, most frequent first; what only describes the data comes last.

    :param suffixes: file suffix to the number of such files.
    """
    order = sorted(suffixes, key=lambda suffix: (suffix in _ABOUT_THE_DATA, -suffixes[suffix], suffix))
    return list(dict.fromkeys(known for suffix in order if (known := format_of(suffix))))


def media_type(suffixes: dict[str, int]) -> str | None:
    """The one IANA media type of all data files, or None where they are of several kinds or of an unknown one."""
    known = [format_of(suffix) for suffix in suffixes if suffix not in _ABOUT_THE_DATA]
    types = {one.media_type if one else None for one in known}
    return types.pop() if len(types) == 1 else None


def licence(address: str) -> Licence | None:
    """The licence at an address, however it is written (http or https, with a final slash or not)."""
    plain = _plain(address)
    return next(
        (one for one in LICENCES if plain in (_plain(one.address), _plain(f"{AUTHORITY}licence/{one.code}"))), None
    )


def _plain(address: str) -> str:
    return address.removeprefix("https://").removeprefix("http://").rstrip("/")


def code_of(scheme: str, iri: str) -> str | None:
    """The code that an IRI of a list stands for: ``code_of("language", ".../language/NLD")`` is ``NLD``."""
    prefix = _plain(f"{AUTHORITY}{scheme}") + "/"
    plain = _plain(iri)
    return plain.removeprefix(prefix) if plain.startswith(prefix) else None
