# SPDX-License-Identifier: LGPL-2.1-or-later
"""The specification's JSON schema, which is in tests/data."""

import json
import warnings
from pathlib import Path

import jsonschema

DIRECTORY = Path(__file__).resolve().parents[2] / "data/runtime-spec"


def load(name):
    return json.loads((DIRECTORY / name).read_text(encoding="utf-8"))


def definition(file, name):
    """What defs-linux.json and the like say of a name: the values of an enum, or the whole."""
    found = load(file)["definitions"][name]
    return set(found["enum"]) if "enum" in found else found


def violations(name, document):
    """What a document does that "state", "features" or "config" does not allow: "status: 'x' is not one of …"."""
    schema = load(f"{name}-schema.json")
    with warnings.catch_warnings():  # the successor of RefResolver is too young for Debian 12
        warnings.simplefilter("ignore", DeprecationWarning)
        resolver = jsonschema.RefResolver(f"{DIRECTORY.as_uri()}/{name}-schema.json", schema)
        errors = list(jsonschema.Draft4Validator(schema, resolver=resolver).iter_errors(document))
    return [f"{'.'.join(map(str, error.path))}: {error.message}" for error in errors]
