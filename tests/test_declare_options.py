"""What is wrong with the options of a verb is a SpecError at class creation."""

from __future__ import annotations

import pytest

from declaring import TEXT, both_modes, client, declare, refused_stub
from stubwire import SpecError

KNOWN = (
    "auth, deadline, errors, headers, idempotency_key, none_on, paginate, query_style, responses, retry, stream, "
    "timeout, unwrap"
)
NO_STATUS = "which is no status: write numbers from 200 to 599"
NO_SET = "is no set: write the statuses in braces, such as {404}"
NO_PATH = "is no path: write keys with dots, such as 'data.items'"
NO_KEY = "write a status from 300 to 599, a range of them, or '4XX'"
NO_NONE = "none_on needs a return type that allows None: write ->"
NO_HEADER = "is no header name: write True, or the name of the header"

NONE_ON = {
    "none_on=404": f"none_on=404 {NO_SET}",
    "none_on=[404]": f"none_on=[404] {NO_SET}",
    "none_on={99}": f"none_on has 99, {NO_STATUS}",
    "none_on={True}": f"none_on has True, {NO_STATUS}",
    "none_on={'4XX'}": f"none_on has '4XX', {NO_STATUS}",
}
UNWRAP = {
    "unwrap=3": f"unwrap=3 {NO_PATH}",
    "unwrap=''": f"unwrap='' {NO_PATH}",
    "unwrap='a..b'": f"unwrap='a..b' {NO_PATH}",
}
ERRORS = {
    "errors=[404]": "errors=[404] is no mapping: write {404: NotFound, '5XX': Problem}",
    "errors={200: Model}": f"errors has the key 200: {NO_KEY}",
    "errors={'404': Model}": f"errors has the key '404': {NO_KEY}",
    "errors={'6XX': Model}": f"errors has the key '6XX': {NO_KEY}",
    "errors={None: Model}": f"errors has the key None: {NO_KEY}",
    "errors={True: Model}": f"errors has the key True: {NO_KEY}",
    "errors={range(0): Model}": f"errors has the key range(0, 0): {NO_KEY}",
    "errors={404: 'Model'}": "errors maps 404 to 'Model': write a model, or a class derived from ClientError",
    "errors={404: LookupError}": "errors maps 404 to LookupError: derive it from ClientError[Model]",
    "errors={404: ClientError[Model]}": (
        "errors maps 404 to ClientError[Model], which nothing could catch: write a class of your own, "
        "class MyError(ClientError[Model])"
    ),
    "errors={404: RateLimitError}": "errors maps 404 to RateLimitError: write a status that it stands for, 429",
    "errors={range(400, 600): Missing}": (
        "errors maps range(400, 600) to Missing: write a status that it stands for, 400 to 499"
    ),
    "errors={404: list[Plain]}": (
        "errors maps 404 to list[Plain]: pydantic cannot handle the type list[Plain]: Unable to generate pydantic-core "
        "schema for <class 'declared.Plain'>. Set `arbitrary_types_allowed=True` in the model_config to ignore this "
        "error or implement `__get_pydantic_core_schema__` on your type to fully support it."
    ),
}
LATER = """
class Later(ClientError["Defined"]):
    pass

class Api(ApiClient):
    @get("/x", errors={404: Later})
    def f(self) -> Model: ...
"""
REST = {
    "unwrapp='a'": f"'unwrapp' is no option: write one of {KNOWN}",
    "retry=3": "retry=3 is no Retry: write Retry(max_retries=...), or None",
    "idempotency_key='a b'": f"idempotency_key='a b' {NO_HEADER}",
    "idempotency_key=1": f"idempotency_key=1 {NO_HEADER}",
    "timeout=-1": "timeout=-1 must be a finite number above 0, or None for no limit",
    "deadline=0": "deadline=0 must be a finite number above 0, or None for no limit",
    "headers={'a b': 'c'}": "'a b' is no header name: write letters, digits and hyphens",
}
OPTIONS = NONE_ON | UNWRAP | ERRORS | REST

RESULTS = [
    ("none_on={404}", "list[Model]", f"{NO_NONE} list[Model] | None"),
    ("none_on={404}", "Response[Model]", f"{NO_NONE} Model | None"),
    ("unwrap='a'", "None", "unwrap needs a JSON result, not None: write the type of that part"),
    ("unwrap='a'", "bytes", "unwrap needs a JSON result, not bytes: write the type of that part"),
    ("unwrap='a'", "Model | Unset", "a result is never Unset: write the type that the server answers with"),
]


@both_modes
@pytest.mark.parametrize(("option", "message"), OPTIONS.items(), ids=OPTIONS.keys())
def test_a_wrong_option_is_refused_when_the_class_is_created(option: str, message: str, flags: int) -> None:
    assert refused_stub(f'@get("/x", {option})\ndef f(self) -> Model | None: ...', flags) == f"Api.f: {message}"


def test_a_model_that_is_only_named_is_refused() -> None:
    """An exception class has its model as a base, which cannot come later."""
    with pytest.raises(SpecError) as caught:
        declare(LATER)
    assert str(caught.value) == (
        "Api.f: errors maps 404 to Later: its model is the text 'Defined': write the class, which must come first"
    )


@both_modes
@pytest.mark.parametrize(("option", "returns", "message"), RESULTS)
def test_an_option_that_does_not_go_with_the_result_is_refused(
    option: str, returns: str, message: str, flags: int
) -> None:
    assert refused_stub(f'@get("/x", {option})\ndef f(self) -> {returns}: ...', flags) == f"Api.f: {message}"


RIGHT = {
    "none_on a frozenset": ("none_on=frozenset({204, 404})", "Model | None"),
    "none_on with Any": ("none_on={404}", "Any"),
    "none_on a response": ("none_on={404}", "Response[Model | None]"),
    "errors": ("errors={404: Model, '5XX': Model, range(400, 410): Missing}", "Model"),
    "errors of a union": ("errors={404: Model | Other}", "Model"),
    "errors of a list": ("errors={'4xx': list[Model]}", "Model"),
    "unwrap": ("unwrap='data.items.0'", "list[Model]"),
    "retry": ("retry=None, timeout=None, auth=None", "Model"),
    "key": ("idempotency_key='X-Key', headers={'A': 'b'}", "Model"),
}


@both_modes
@pytest.mark.parametrize(("options", "returns"), RIGHT.values(), ids=RIGHT.keys())
def test_these_options_are_right(options: str, returns: str, flags: int) -> None:
    api = client(f'@get("/x", {options})\ndef f(self) -> {returns}: ...', flags)
    assert api.f.request().url == "https://example.com/x"


def test_options_of_a_stub_whose_result_is_defined_later_are_checked_at_first_access() -> None:
    names = declare('class Api(ApiClient):\n    @get("/x", none_on={404})\n    def f(self) -> Late: ...', TEXT)
    names["Late"] = int
    with pytest.raises(TypeError) as caught:
        _ = names["Api"](base_url="https://example.com").f
    assert str(caught.value) == "Api.f: none_on needs a return type that allows None: write -> int | None"
