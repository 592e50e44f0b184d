"""JSON schemas of the documents, for editors: `python -m dropaudit_client.documents.schema` writes them beside this."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dropaudit_client.documents.fields import Part
from dropaudit_client.documents.local import LocalDocument
from dropaudit_client.documents.suites import SuitesDocument

FOLDER = Path(__file__).parent
DOCUMENTS: dict[str, type[Part]] = {"dropaudit": LocalDocument, "suites": SuitesDocument}


def schema_text(document: type[Part]) -> str:
    """Return the JSON schema of a document."""
    schema: dict[str, Any] = document.model_json_schema(by_alias=True)
    found = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def schema_file(name: str) -> Path:
    """Return where the schema of a document is."""
    return FOLDER / f"{name}.schema.json"


def main() -> None:
    """Write all schemas."""
    for name, document in DOCUMENTS.items():
        schema_file(name).write_text(schema_text(document), encoding="utf-8")


if __name__ == "__main__":
    main()
