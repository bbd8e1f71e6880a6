"""What all parts of a recipe have in common."""

from __future__ import annotations

import inspect
from typing import Any

import pydantic


def _with_inherited_meanings(schema: dict[str, Any], part: type[pydantic.BaseModel]) -> None:
    """A description that says what inherited keys mean, too."""
    parts = [kind for kind in part.__mro__ if issubclass(kind, Strict) and kind is not Strict]
    schema["description"] = "\n\n".join(inspect.cleandoc(kind.__doc__ or "") for kind in parts)


class Strict(pydantic.BaseModel):
    """A part of a recipe: unknown keys are errors, and nothing changes after validation."""

    model_config = pydantic.ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, json_schema_extra=_with_inherited_meanings
    )

    @pydantic.field_validator("*", mode="before")
    @classmethod
    def _numbers_are_no_booleans(cls, value: Any, info: pydantic.ValidationInfo) -> Any:
        """Python takes true for 1; nobody means that."""
        kind = cls.model_fields[str(info.field_name)].annotation
        if isinstance(value, bool) and kind in (int, int | None, float, float | None):
            raise ValueError(f"must be a {'' if kind in (float, float | None) else 'whole '}number")
        return value
