"""What is said when the catalogue is exported, checked or imported."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

NO_PUBLISHER = Reason(
    "export-no-publisher",
    N_("The site's file does not say who publishes the catalogue, which DCAT-AP-NL requires."),
    N_('Add it to the section [catalogue.export]: publisher = "Our organisation".'),
    who=Who.OPERATOR,
    label="export",
)
CROISSANT_NEEDS_NAME = Reason(
    "export-croissant-name",
    N_("Croissant describes one dataset."),
    N_("Name it: datasets export NAME --croissant"),
    who=Who.OPERATOR,
    label="usage",
)
CROISSANT_NO_SHAPES = Reason(
    "export-croissant-shapes",
    N_("Shapes are for DCAT, not for Croissant."),
    N_("Croissant has a validator of its own: mlcroissant validate --jsonld FILE"),
    who=Who.OPERATOR,
    label="usage",
)
NO_SHAPES_NAMED = Reason(
    "export-no-shapes-named",
    N_("The site's file names no directory of shapes (catalogue.shapes)."),
    N_("The shapes of DCAT-AP-NL 3.0 are in the folder shapes/300 of the repository Geonovum/DCAT-AP-NL30."),
    who=Who.OPERATOR,
    label="check",
)
NO_SHAPES_THERE = Reason(
    "export-no-shapes-there",
    N_("There are no shapes (*.ttl) in {path}, which catalogue.shapes names."),
    N_("The shapes of DCAT-AP-NL 3.0 are in the folder shapes/300 of the repository Geonovum/DCAT-AP-NL30."),
    who=Who.OPERATOR,
    label="check",
)
SHAPES_UNREADABLE = Reason(
    "export-shapes-unreadable",
    N_("The shapes {path} cannot be read: {why}."),
    N_("The shapes of DCAT-AP-NL 3.0 are in the folder shapes/300 of the repository Geonovum/DCAT-AP-NL30."),
    who=Who.OPERATOR,
    label="check",
)
NO_PYSHACL = Reason(
    "export-no-pyshacl",
    N_("An export can only be checked with pySHACL, which is not installed."),
    N_("Install it beside Fabric Hub: pip install 'fabric-hub[shapes]'."),
    who=Who.OPERATOR,
    label="check",
)
PYSHACL_FAILED = Reason(
    "export-pyshacl-failed", N_("pySHACL could not apply {path}: {why}."), who=Who.OPERATOR, label="check"
)
CHECKED = Reason(
    "export-checked",
    P_("{n} violation, {others} other remarks.", "{n} violations, {others} other remarks."),
    who=Who.NOBODY,
)
NO_SUCH_PUBLISHED = Reason(
    "export-no-such-published",
    N_("There is no published dataset {dataset} in the catalogue."),
    N_("See what there is: fabric-hub datasets list"),
    who=Who.OPERATOR,
    label="unknown-dataset",
    status=404,
)
NO_SUCH_WITH_ACCESS = Reason(
    "export-no-such-with-access",
    N_("There is no published dataset {dataset} in the catalogue with that access."),
    N_("See what there is: fabric-hub datasets list"),
    who=Who.OPERATOR,
    label="unknown-dataset",
    status=404,
)
NOTHING_PUBLISHED = Reason(
    "export-nothing-published",
    N_("There is nothing published in the catalogue."),
    N_("See what there is: fabric-hub datasets list"),
    who=Who.OPERATOR,
    label="unknown-dataset",
    status=404,
)
NOTHING_WITH_ACCESS = Reason(
    "export-nothing-with-access",
    N_("There is nothing published in the catalogue with that access."),
    N_("See what there is: fabric-hub datasets list"),
    who=Who.OPERATOR,
    label="unknown-dataset",
    status=404,
)
CANNOT_WRITE = Reason("export-cannot-write", N_("{path} cannot be written: {why}."), who=Who.OPERATOR, label="export")

# -- import

NEITHER_FORM = Reason(
    "import-neither-form",
    N_("{path} is neither Turtle (.ttl) nor JSON-LD (.jsonld, .json) by its name."),
    N_("Convert it first; RDF/XML for instance with rdfpipe, which comes with rdflib."),
    who=Who.OPERATOR,
    label="import",
)
CANNOT_READ = Reason("import-cannot-read", N_("{path} cannot be read: {why}."), who=Who.OPERATOR, label="import")
NO_DATASET = Reason(
    "import-no-dataset",
    N_("There is no dcat:Dataset in this document."),
    N_("An import reads DCAT: resources whose type is http://www.w3.org/ns/dcat#Dataset."),
    who=Who.OPERATOR,
    label="import",
)
TOO_LARGE = Reason(
    "import-too-large",
    N_("{name} cannot be imported: it has {size} bytes, and at most {most} are read."),
    N_("Split it."),
    who=Who.OPERATOR,
    label="import",
)
NOT_UTF8 = Reason(
    "import-not-utf8", N_("{name} cannot be imported: it is not UTF-8 text."), who=Who.OPERATOR, label="import"
)
TOO_DEEP = Reason(
    "import-too-deep", N_("{name} cannot be imported: it is nested too deeply."), who=Who.OPERATOR, label="import"
)
NOT_OF_FORM = Reason(
    "import-not-of-form", N_("{name} cannot be imported: it is not {form}: {why}."), who=Who.OPERATOR, label="import"
)
CONTEXT_ELSEWHERE = Reason(
    "import-context-elsewhere",
    N_("{name} cannot be imported: its context {where} is in another document, and nothing is fetched."),
    N_('Write the context itself into the document: {{"@context": {{"dct": "http://purl.org/dc/terms/", …}}}}.'),
    who=Who.OPERATOR,
    label="import",
)
EXISTS = Reason(
    "import-exists",
    N_("{dataset}: it exists already and stays as it is (--replace describes it anew)."),
    who=Who.OPERATOR,
)
DESCRIBED_ANEW = Reason("import-described-anew", N_("{dataset}: described anew."), who=Who.NOBODY)
A_DRAFT = Reason("import-a-draft", N_("{dataset}: a draft."), who=Who.NOBODY)
NOT_TAKEN_OVER = Reason("import-not-taken-over", N_("Not taken over: {what}"), who=Who.OPERATOR)
WHAT_NEXT = Reason(
    "import-what-next",
    N_("What a draft lacks: fabric-hub datasets show NAME; files: fabric-hub datasets pack NAME."),
    who=Who.OPERATOR,
)

# -- why something of a document is not in a draft

LEFT_OUT = Reason("import-left-out", "{name}: {what}", who=Who.OPERATOR)
STATEMENT = Reason("import-statement", "{predicate} {value} ({why})", who=Who.OPERATOR)
HAS_ONE = Reason("import-has-one", N_("an entry has one"), who=Who.OPERATOR)
ONE_LANGUAGE = Reason("import-one-language", N_("an entry has one language"), who=Who.OPERATOR)
ONE_LICENCE = Reason("import-one-licence", N_("an entry has one licence for all its files"), who=Who.OPERATOR)
ONE_AGREEMENT = Reason("import-one-agreement", N_("an entry has one agreement"), who=Who.OPERATOR)
ONE_PAGE = Reason("import-one-page", N_("an entry has one page"), who=Who.OPERATOR)
NOT_OF_LIST = Reason("import-not-of-list", N_("not of the EU's list {scheme}"), who=Who.OPERATOR)
PERSONAL_WORDS = Reason(
    "import-personal-words",
    N_("an entry says none, pseudonymised, personal or special"),
    who=Who.OPERATOR,
)
NO_NAME = Reason("import-no-name", N_("it has no name of its own"), who=Who.OPERATOR)
TERMS_ARE_TEXT = Reason("import-terms-are-text", N_("an entry's terms are a text"), who=Who.OPERATOR)
NO_PLACE = Reason("import-no-place", N_("an entry has no place for it"), who=Who.OPERATOR)
THE_FILES = Reason(
    "import-the-files",
    P_(
        "the files of {n} distribution (bring them in with: datasets pack)",
        "the files of {n} distributions (bring them in with: datasets pack)",
    ),
    who=Who.OPERATOR,
)
