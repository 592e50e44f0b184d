"""From a document's values to its model, or to all that is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from dropaudit_client.documents.located import Keys, Located
from dropaudit_client.documents.problems import InvalidDocument, Problem

Model = TypeVar("Model", bound=BaseModel)


def checked(located: Located, model: type[Model]) -> Model:
    """Return a document as its model.

    Raises:
        InvalidDocument: with everything that is wrong, each with its line.
    """
    try:
        return model.model_validate(located.value)
    except ValidationError as error:
        known = sorted(set(field_names(model)))
        raise InvalidDocument(
            located.name, [_problem(located, dict(each), known) for each in error.errors(include_url=False)]
        ) from None


def _problem(located: Located, error: dict[str, Any], known: list[str]) -> Problem:
    # Pydantic marks what it says of a mapping's key.
    keys: Keys = tuple(key for key in error["loc"] if key != "[key]")
    if error["type"] == "missing":
        return located.problem(keys[:-1], f"needs {keys[-1]!r}")
    if error["type"] == "extra_forbidden":
        close = get_close_matches(str(keys[-1]), known, n=1)
        return located.problem(keys, f"is not a key here{f'; did you mean {close[0]!r}?' if close else ''}")
    return located.problem(keys, _sentence(error))


def _sentence(error: dict[str, Any]) -> str:
    message = str(error["msg"])
    match error["type"]:
        case "value_error":
            return message.removeprefix("Value error, ")
        case "model_type" | "dict_type" | "model_attributes_type":
            return "must be a mapping of keys to values"
        case "string_too_short":
            return "must not be empty"
        case "string_too_long":
            return f"must have at most {error['ctx']['max_length']} characters"
        case "string_pattern_mismatch":
            return f"must match {error['ctx']['pattern']}"
        case "list_type" | "tuple_type":
            return "must be a list"
        case "timezone_aware":
            return "needs a time zone, such as 2027-01-31T12:00:00+01:00"
    return message.replace("Input should be", "must be").replace("Input should have", "must have")


def field_names(model: type[BaseModel]) -> Iterator[str]:
    """Yield the keys of a document at any depth."""
    for name, field in model.model_fields.items():
        yield field.alias or name
        for part in _parts(field.annotation):
            yield from field_names(part)


def _parts(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from _parts(each)
