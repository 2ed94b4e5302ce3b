"""A thousand people who do not exist: a synthetic cohort in the tables of the OMOP common data model."""

from __future__ import annotations

import math
from datetime import date, timedelta
from pathlib import Path
from random import Random

from .tables import write_csv

PEOPLE = 1000
FIRST, DAYS = date(2020, 1, 1), 5 * 365
# OMOP standard concepts (https://athena.ohdsi.org)
MALE, FEMALE = 8507, 8532
DIABETES, HYPERTENSION = 201826, 320128
HBA1C, SYSTOLIC, WEIGHT = 3004410, 3004249, 3025315
PERCENT, MMHG, KG = 8554, 8876, 9529
METFORMIN, LISINOPRIL = 1503297, 1308216
EHR = 32817  # how it was recorded: electronically

Row = tuple[object, ...]


def write(directory: Path) -> None:
    """Write the dataset's files."""
    random = Random(8675309)
    people: list[Row] = []
    conditions: list[Row] = []
    drugs: list[Row] = []
    measurements: list[Row] = []
    for person in range(1, PEOPLE + 1):
        sex = random.choice((MALE, FEMALE))
        born = random.randint(1935, 2004)
        people.append((person, sex, born, 0, 0))
        age = FIRST.year - born
        mass = random.gauss(84 if sex == MALE else 71, 13)
        risk = -5.3 + 0.05 * age + 0.035 * (mass - 75)
        diabetic = random.random() < 1 / (1 + math.exp(-risk))
        pressured = random.random() < 1 / (1 + math.exp(-(-5.4 + 0.075 * age + 0.8 * diabetic)))
        for has, condition, drug in ((diabetic, DIABETES, METFORMIN), (pressured, HYPERTENSION, LISINOPRIL)):
            if has:
                since = FIRST + timedelta(days=random.randrange(DAYS // 2))
                conditions.append((len(conditions) + 1, person, condition, since, EHR))
                if random.random() < 0.8:
                    start = since + timedelta(days=random.randrange(60))
                    drugs.append((len(drugs) + 1, person, drug, start, start + timedelta(days=90), EHR))
        for visit in sorted(random.sample(range(DAYS), k=random.randint(1, 4) + 3 * diabetic)):
            on = FIRST + timedelta(days=visit)
            values = (
                (HBA1C, round(random.gauss(7.6, 1.0) if diabetic else random.gauss(5.4, 0.3), 1), PERCENT),
                (SYSTOLIC, round(random.gauss(118 + 0.25 * age + 14 * pressured, 10)), MMHG),
                (WEIGHT, round(mass + random.gauss(0, 1.2), 1), KG),
            )
            for concept, value, unit in values:
                measurements.append((len(measurements) + 1, person, concept, on, value, unit, EHR))
    person_columns = ("person_id", "gender_concept_id", "year_of_birth", "race_concept_id", "ethnicity_concept_id")
    write_csv(directory / "person.csv", person_columns, people)
    write_csv(
        directory / "condition_occurrence.csv",
        (
            "condition_occurrence_id",
            "person_id",
            "condition_concept_id",
            "condition_start_date",
            "condition_type_concept_id",
        ),
        conditions,
    )
    write_csv(
        directory / "drug_exposure.csv",
        (
            "drug_exposure_id",
            "person_id",
            "drug_concept_id",
            "drug_exposure_start_date",
            "drug_exposure_end_date",
            "drug_type_concept_id",
        ),
        drugs,
    )
    write_csv(
        directory / "measurement.csv",
        (
            "measurement_id",
            "person_id",
            "measurement_concept_id",
            "measurement_date",
            "value_as_number",
            "unit_concept_id",
            "measurement_type_concept_id",
        ),
        measurements,
    )
    concepts = (
        (MALE, "Male"),
        (FEMALE, "Female"),
        (DIABETES, "Type 2 diabetes mellitus"),
        (HYPERTENSION, "Essential hypertension"),
        (HBA1C, "Hemoglobin A1c/Hemoglobin.total in Blood"),
        (SYSTOLIC, "Systolic blood pressure"),
        (WEIGHT, "Body weight"),
        (METFORMIN, "metformin"),
        (LISINOPRIL, "lisinopril"),
        (PERCENT, "percent"),
        (MMHG, "millimeter mercury column"),
        (KG, "kilogram"),
        (EHR, "EHR"),
    )
    write_csv(directory / "concept.csv", ("concept_id", "concept_name"), concepts)
    (directory / "README.md").write_text(__doc__ + _README, encoding="utf-8")


_README = """
Every value is drawn from a random number generator with made-up rates: nothing can be learned from it about real
people, and nobody can be recognised in it. It has the shape of the OMOP CDM 5.4: code for
real cohorts runs on it.

| file | one row per |
|---|---|
| `person.csv` | person |
| `condition_occurrence.csv` | diagnosis (type 2 diabetes, hypertension) |
| `drug_exposure.csv` | prescription |
| `measurement.csv` | value of HbA1c, systolic blood pressure or weight |
| `concept.csv` | concept that the others name |
"""
