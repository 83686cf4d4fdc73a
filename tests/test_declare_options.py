"""What is wrong with the options of a verb is a SpecError at class creation."""

from __future__ import annotations

import pytest

from declaring import both_modes, client, refused_stub

KNOWN = "auth, errors, headers, idempotency_key, none_on, retry, timeout, unwrap"
STATUS = "which is no status: write numbers from 200 to 599'
KEYS = "write keys with dots, such as 'data.items'"
KEY = "write a status from 300 to 599, a range of them, or '4XX'"
SET = "is no set: write the statuses in braces, such as {404}'
ALLOW = "none_on needs a return type that allows None: write ->'
ROWS = {
    'an unknown option': ("unwrapp='a'", 'Model', f"'unwrapp' is no option: write one of {KNOWN}"),
    'none_on is no set': ('none_on=404', 'Model | None', f"none_on=404 {SET}"),
    'none_on is a list': ('none_on=[404]', 'Model | None', f"none_on=[404] {SET}"),
    'none_on is no status': ('none_on={99}', 'Model | None', f"none_on has 99, {STATUS}"),
    'none_on is a truth': ('none_on={True}', 'Model | None', f"none_on has True, {STATUS}"),
    'none_on is a class': ("none_on={'4XX'}", 'Model | None', f"none_on has '4XX', {STATUS}"),
    'none_on without None': ('none_on={404}', 'list[Model]', f"{ALLOW} list[Model] | None"),
    'none_on without None in a response': ('none_on={404}', 'Response[Model]', f"{ALLOW} Model | None"),
    'unwrap is no text': ('unwrap=3', 'Model', f"unwrap=3 is no path: {KEYS}"),
    'unwrap is empty': ("unwrap=''", 'Model', f"unwrap='' is no path: {KEYS}"),
    'unwrap has a gap': ("unwrap='a..b'", 'Model', f"unwrap='a..b' is no path: {KEYS}"),
    'unwrap of nothing': ("unwrap='a'", 'None', 'unwrap needs a JSON result, not None: write the type of that part'),
    'unwrap of bytes': ("unwrap='a'", 'bytes', 'unwrap needs a JSON result, not bytes: write the type of that part'),
    'a result that is Unset': ("unwrap='a'", 'Model | Unset', 'a result is never Unset: write the type that the server answers with'),
    'errors is no mapping': ('errors=[404]', 'Model', "errors=[404] is no mapping: write {404: NotFound, '5XX': Problem}"),
    'errors of a success': ('errors={200: Model}', 'Model', f"errors has the key 200: {KEY}"),
    'errors of a word': ("errors={'404': Model}", 'Model', f"errors has the key '404': {KEY}"),
    'errors of a class that is none': ("errors={'6XX': Model}", 'Model', f"errors has the key '6XX': {KEY}"),
    'errors of None': ('errors={None: Model}', 'Model', f"errors has the key None: {KEY}"),
    'errors with a value': ("errors={404: 'Model'}", 'Model', "errors maps 404 to 'Model': write a model, or a class derived from ClientError"),
    'errors with another exception': ('errors={404: LookupError}', 'Model', 'errors maps 404 to LookupError: derive it from ClientError[Model]'),
    'errors with an alias': ('errors={404: ClientError[Model]}', 'Model', ('errors maps 404 to ClientError[Model], which nothing could catch: ' 'write a class of your own, class MyError(ClientError[Model])')),
    'errors with a class for another status': ('errors={404: RateLimitError}', 'Model', 'errors maps 404 to RateLimitError: write a status that it stands for, 429'),
    'errors with a class for fewer statuses': ('errors={range(400, 600): Missing}', 'Model', 'errors maps range(400, 600) to Missing: write a status that it stands for, 400 to 499'),
    'a retry that is a number': ('retry=3', 'Model', 'retry=3 is no Retry: write Retry(max_retries=...), or None'),
    'a key that is no header': ("idempotency_key='a b'", 'Model', "idempotency_key='a b' is no header name: write True, or the name of the header"),
    'a key that is no name': ('idempotency_key=1', 'Model', 'idempotency_key=1 is no header name: write True, or the name of the header'),
    'a timeout': ('timeout=-1', 'Model', 'timeout=-1 must be a finite number above 0, or None for no limit'),
    "a header's name": ("headers={'a b': 'c'}", 'Model', "'a b' is no header name: write letters, digits and hyphens"),
}


@both_modes
@pytest.mark.parametrize(("option", "returns", "message"), ROWS.values(), ids=ROWS.keys())
def test_a_wrong_option_is_refused_when_the_class_is_created(
    option: str, returns: str, message: str, flags: int
) -> None:
    found = refused_stub(f'@get("/x", {option})\ndef f(self) -> {returns}: ...', flags)
    assert found == f"Api.f: {message}"


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
    from declaring import TEXT, declare

    names = declare('class Api(ApiClient):\n    @get("/x", none_on={404})\n    def f(self) -> Late: ...', TEXT)
    names["Late"] = int
    with pytest.raises(TypeError) as caught:
        _ = names["Api"](base_url="https://example.com").f
    assert str(caught.value) == "Api.f: none_on needs a return type that allows None: write -> int | None"
