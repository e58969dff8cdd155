"""REST endpoints: pydantic in, pydantic out, one OpenAPI 3.1 document made from the very same models.

``endpoint`` parses the query (or JSON body), calls the view with it and serialises what it returns. A bad parameter is
a problem+json answer that names it. Every endpoint appears in ``/api/v1/openapi.json``; a test compares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, get_args, get_origin

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ValidationError
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from bposite import __version__
from bposite.plumbing.web import problem

REF = "#/components/schemas/{model}"
ERRORS = {
    "400": "The request could not be read",
    "401": "No valid token",
    "403": "The token does not allow this",
    "404": "Not found",
    "422": "A parameter is wrong",
    "429": "Too many requests",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What the document needs to know of one view."""

    summary: str
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    returns: type[BaseModel] | None
    media: str


def endpoint(
    *,
    summary: str,
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | None = None,
    returns: type[BaseModel] | None = None,
    media: str = "application/json",
) -> Callable[[Callable[..., Any]], Callable[..., ResponseReturnValue]]:
    """Declare a REST view. It is called with ``query=`` and ``body=`` models where declared, and path parameters.

    ``returns`` None with another ``media`` is for files: the view then returns a response itself.
    """

    def decorate(view: Callable[..., Any]) -> Callable[..., ResponseReturnValue]:
        @wraps(view)
        def called(**path: Any) -> ResponseReturnValue:
            try:
                if query is not None:
                    path["query"] = query.model_validate(_query_values(query))
                if body is not None:
                    path["body"] = body.model_validate_json(request.get_data(cache=False))
            except ValidationError as error:
                return _invalid(error)
            answer = view(**path)
            if isinstance(answer, BaseModel):
                return Response(answer.model_dump_json(by_alias=True), mimetype="application/json")
            return answer  # type: ignore[no-any-return]

        called.__endpoint__ = Endpoint(summary, query, body, returns, media)  # type: ignore[attr-defined]
        return called

    return decorate


def _query_values(model: type[BaseModel]) -> dict[str, Any]:
    """Parameters as given; a repeated one is a list only where the model wants a list, else an error."""
    values: dict[str, Any] = {}
    lists = {field.alias or name for name, field in model.model_fields.items() if _is_list(field.annotation)}
    for name in request.args:
        given = request.args.getlist(name)
        values[name] = given if name in lists or len(given) > 1 else given[0]
    return values


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(get_origin(arg) is list for arg in get_args(annotation))


def _invalid(error: ValidationError) -> Response:
    details = [
        {"field": ".".join(str(part) for part in item["loc"]) or "body", "message": item["msg"]}
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    first = details[0]
    return problem(422, "invalid", f"{first['field']}: {first['message']}", errors=details)


def document(app: Flask) -> dict[str, Any]:
    """The OpenAPI 3.1 document of all endpoints of ``app``."""
    found = sorted(
        ((rule, view.__endpoint__) for rule in app.url_map.iter_rules() if (view := _view(app, rule)) is not None),
        key=lambda pair: pair[0].rule,
    )
    models = {model for _, it in found for model in (it.query, it.body, it.returns) if model is not None}
    modes = sorted(((m, "serialization") for m in models), key=lambda pair: pair[0].__name__)
    refs, definitions = models_json_schema(modes, ref_template=REF)  # type: ignore[arg-type]
    schemas = definitions.get("$defs", {}) | {"Problem": PROBLEM}
    names: dict[Any, str] = {model: schema["$ref"].rsplit("/", 1)[1] for (model, _), schema in refs.items()}
    paths: dict[str, Any] = {}
    for rule, it in found:
        methods = (rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}
        for method in sorted(methods):
            paths.setdefault(_path(rule), {})[method.lower()] = _operation(rule, method, it, names, schemas)
    for query in {it.query for _, it in found if it.query is not None}:
        schemas.pop(names[query], None)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "bposite",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


PROBLEM = {
    "type": "object",
    "description": "Problem details, RFC 9457",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "field": {"type": "string"},
        "remedy": {"type": "string"},
        "incident": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}


def _view(app: Flask, rule: Rule) -> Any:
    view = app.view_functions.get(rule.endpoint)
    return view if hasattr(view, "__endpoint__") else None


def _path(rule: Rule) -> str:
    return "".join(f"{{{part}}}" if dynamic else part for dynamic, part in rule._trace if part != "|")


def _operation(
    rule: Rule, method: str, it: Endpoint, names: dict[type[BaseModel], str], schemas: dict[str, Any]
) -> dict[str, Any]:
    content: dict[str, Any] = {} if it.returns is None else {"schema": {"$ref": REF.format(model=names[it.returns])}}
    operation: dict[str, Any] = {
        "operationId": f"{rule.endpoint}_{method}".lower().replace(".", "_"),
        "summary": it.summary,
        "parameters": [*_path_parameters(rule), *_query_parameters(it, names, schemas)],
        "responses": {"200": {"description": it.summary, "content": {it.media: content}}}
        | {status: _error(words) for status, words in ERRORS.items()},
    }
    if it.body is not None:
        schema = {"$ref": REF.format(model=names[it.body])}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _path_parameters(rule: Rule) -> list[dict[str, Any]]:
    kinds = {"IntegerConverter": "integer"}
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": kinds.get(type(converter).__name__, "string")},
        }
        for name, converter in rule._converters.items()
    ]


def _query_parameters(it: Endpoint, names: dict[type[BaseModel], str], schemas: dict[str, Any]) -> list[dict[str, Any]]:
    if it.query is None:
        return []
    schema = schemas[names[it.query]]
    required = set(schema.get("required", ()))
    return [
        {"name": name, "in": "query", "required": name in required, "schema": part}
        for name, part in schema.get("properties", {}).items()
    ]


def _error(words: str) -> dict[str, Any]:
    schema = {"$ref": REF.format(model="Problem")}
    return {"description": words, "content": {"application/problem+json": {"schema": schema}}}
