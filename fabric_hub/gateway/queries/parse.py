"""The form of answers that hold text of users: records whose fields end with a mark. Pure.

A job's name is text of its owner's choice: it may hold newlines and any separator,
so that a clever name could read like a line about someone else's job. Every
question therefore carries a fresh random *mark*, which ends each field; nobody
can write a mark that did not exist when the job was named. Text without marks
(a warning between two records) is dropped; an answer that stops in the middle is
no answer (:class:`GarbledError`), for a job missing from it may still be there.
"""

from __future__ import annotations

from collections.abc import Iterator


class GarbledError(ValueError):
    """An answer that is cut short or not of the asked form."""


def field_list(fields: list[str], mark: str) -> str:
    """The format string (``--Format``, ``SQUEUE_FORMAT2``) that ends every field with the mark.

    :param mark: lower-case hexadecimal text; it is preceded by ``|`` so that it can
        never be read as a field's width.
    """
    return ",".join(f"{field}:|{mark}" for field in fields)


def records(text: str, mark: str, width: int) -> Iterator[list[str]]:
    """The records of an answer, each as its fields.

    :raises GarbledError: the last record is incomplete.
    """
    fields = text.split(f"|{mark}")
    tail = fields.pop()
    if len(fields) % width or (text and not tail.endswith("\n")):
        raise GarbledError(f"the answer stops in the middle of a record ({len(fields)} fields of {width} each)")
    for start in range(0, len(fields), width):
        record = fields[start : start + width]
        record[0] = record[0].rpartition("\n")[2]  # what stands before it carries no mark
        yield [field.strip() for field in record[:-1]] + [record[-1]]
