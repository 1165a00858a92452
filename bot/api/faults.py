"""Every fault of a body or a query, in one answer."""

from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Loc = tuple[str | int, ...]
_MOST_FAULTS: Final = 100
_LONGEST_PART: Final = 100

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: where, and what would be right. Never repeats what was sent."""

    loc: Loc
    msg: str


class Faulty(Exception):
    """A body or a query has these faults."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


@dataclass(slots=True)
class Body:
    """What checks of a body's parts know of the rest: which names it has, and (after them) the good parts."""

    names: frozenset[str] = frozenset()
    we_tell_customers: bool = True
    good: dict[str, Any] = field(default_factory=dict)


def checked(model: type[Model], content: object, body: Body | None = None) -> Model:
    """Return the content as `model`; raises Faulty with all of its faults."""
    try:
        return model.model_validate(content, context=body)
    except ValidationError as error:
        raise Faulty(*faults_of(error)) from None


def faults_of(error: ValidationError) -> list[Fault]:
    """Return what pydantic found, without what was sent and without its addresses."""
    details = error.errors(include_url=False, include_input=False, include_context=False)
    return [Fault(_loc(detail["loc"]), _words(detail)) for detail in details[:_MOST_FAULTS]]


def _words(detail: ErrorDetails) -> str:
    """Return pydantic's words, but for those that name a class of ours."""
    return "must be an object" if detail["type"] == "model_type" else detail["msg"]


def _loc(loc: Loc) -> Loc:
    return tuple(part[:_LONGEST_PART] if isinstance(part, str) else part for part in loc)


def as_json(faults: tuple[Fault, ...]) -> list[dict[str, Any]]:
    """Return faults as they stand in a problem document."""
    return [{"loc": list(fault.loc), "msg": fault.msg} for fault in faults]
