"""A notebook as PDF by WeasyPrint: no TeX, no browser. :mod:`.exporter` is nbconvert's "pdf" in our images.

A notebook is somebody's content. It is laid out by a process of its own (:mod:`.page`), which has a bound on its time
and memory, and which reads nothing but the notebook and pictures that stand beside it (:mod:`.beside`).
"""

# Exit statuses of :mod:`.page`: why there is no PDF.
NO_LIBRARY, NO_PACKAGE, NO_MEMORY = 3, 4, 5
# The class of the elements that hold formulas in the page.
FORMULA = "fabric-formula"
