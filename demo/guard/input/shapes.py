"""What a value from outside must look like, and the sentence about one that does not. Called by all handlers and
services.

Shapes are strict: a number in quotation marks is no number, a truth value no number either, and no field is allowed
that is not asked for.
"""

from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from demo.guard.input.text import RequestError, brief, clean_text

MAX_ID = 64
EXPECTED = {  # pydantic's kind of error -> what was expected instead
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "string_pattern_mismatch": "text of another form",
}

Value = TypeVar("Value")

Clean = BeforeValidator(lambda value: clean_text(value) if isinstance(value, str) else value)
Text = Annotated[str, Clean]
Id = Annotated[str, Clean, StringConstraints(max_length=MAX_ID)]
Count = Annotated[int, Field(ge=0, lt=2**31)]

TEXT: TypeAdapter[str] = TypeAdapter(Text, config=ConfigDict(strict=True))
ID: TypeAdapter[str] = TypeAdapter(Id, config=ConfigDict(strict=True))


class Shape(BaseModel):
    """A JSON object with these fields and no others."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class OpenShape(BaseModel):
    """A JSON object with these fields; others are not looked at."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


def read(shape: TypeAdapter[Value], value: object, place: str = "") -> Value:
    """`value` as `shape` has it; raises `RequestError` that names the place of what is wrong, below `place`."""
    try:
        return shape.validate_python(value)
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        raise RequestError(shape_sentence(place, dict(found))) from error


def shape_sentence(place: str, found: dict[str, Any]) -> str:
    """What pydantic `found` to be wrong, below `place`, as a sentence."""
    where = place
    for step in found["loc"]:
        where += f"[{step}]" if isinstance(step, int) else f".{step}" if where else str(step)
    where = f"{where[:80]}: " if where else ""
    kind, limits = found["type"], found.get("ctx", {})
    match kind:
        case "missing":
            return f"{where}got nothing, expected a value"
        case "extra_forbidden":
            return f"{where}is not known here"
        case "too_long" if isinstance(found["input"], str):
            return f"{where}has {len(found['input'])} letters, at most {limits['max_length']} are allowed"
        case "too_long":
            return f"{where}has {limits['actual_length']} entries, at most {limits['max_length']} are allowed"
    expected = EXPECTED.get(kind) or str(found["msg"]).removeprefix("Input should be ")
    return f"{where}got {brief(found['input'])}, expected {expected}"
