"""``@tool``: make a tool of a function; its type hints become the schema, its docstring the description."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, get_type_hints, overload

from agentinfra.core.doors import in_thread
from agentinfra.core.errors import InputError
from agentinfra.core.messages import JsonSchema
from agentinfra.tools.base_tool import BaseTool

if TYPE_CHECKING:
    from pydantic import BaseModel

Function = Callable[..., Any]


class CustomTool(BaseTool):
    """A function as a tool, still callable as before.

    Args:
        function: Plain or ``async``; every parameter has a type hint and can be passed by name.
        name: The tool's name; by default the function's.
        description: For the model; by default the function's docstring.

    Raises:
        InputError: A parameter has no type hint, or one that no schema can express.
    """

    def __init__(self, function: Function, name: str = "", description: str = "") -> None:
        self.function = function
        self._is_async = inspect.iscoroutinefunction(function)
        self._arguments, schema = _arguments(function)
        about = description or inspect.getdoc(function) or function.__name__
        super().__init__(name or function.__name__, about, schema)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the function itself."""
        return self.function(*arguments, **named)

    async def arun(self, *arguments: Any, **named: Any) -> Any:
        """Check and convert the arguments, then call the function; a plain one in a thread.

        Raises:
            InputError: The arguments do not fit the type hints.
        """
        if arguments:
            named = dict(zip(self._arguments.model_fields, arguments, strict=False)) | named
        values = self._checked(named)
        if self._is_async:
            return await self.function(**values)
        return await in_thread(partial(self.function, **values))

    def _checked(self, arguments: dict[str, Any]) -> dict[str, Any]:
        from pydantic import ValidationError  # noqa: PLC0415  # heavy

        try:
            checked = self._arguments.model_validate(arguments)
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            raise InputError(f"Wrong arguments for {self.name}: {problems}") from error
        return {name: getattr(checked, name) for name in checked.model_fields_set}


@overload
def tool(function: Function, /) -> CustomTool: ...
@overload
def tool(*, name: str = "", description: str = "") -> Callable[[Function], CustomTool]: ...
def tool(
    function: Function | None = None, /, *, name: str = "", description: str = ""
) -> CustomTool | Callable[[Function], CustomTool]:
    """Make a tool of a function: ``@tool`` or ``@tool(name=…, description=…)``."""
    if function is not None:
        return CustomTool(function, name, description)
    return partial(CustomTool, name=name, description=description)


@lru_cache(maxsize=1024)  # a schema takes half a millisecond to build, and agents are made by the thousand
def _arguments(function: Function) -> tuple[type[BaseModel], JsonSchema]:
    model = _argument_model(function)
    return model, model.model_json_schema()


def _argument_model(function: Function) -> type[BaseModel]:
    from pydantic import ConfigDict, create_model  # noqa: PLC0415  # heavy
    from pydantic.errors import PydanticSchemaGenerationError  # noqa: PLC0415

    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name not in hints or parameter.kind not in (
            parameter.POSITIONAL_OR_KEYWORD,
            parameter.KEYWORD_ONLY,
        ):
            raise InputError(
                f"{function.__name__} cannot be a tool: its parameter {parameter.name} has no type hint or no name",
                next_step="Write it as `name: type`",
            )
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], default)
    try:
        return create_model(function.__name__, __config__=ConfigDict(extra="forbid"), **fields)
    except PydanticSchemaGenerationError as error:
        raise InputError(f"{function.__name__} cannot be a tool", why=error.message) from error
