"""Base URLs, origins, redirect targets and path templates."""

from __future__ import annotations

from typing import Any

import pytest

from stubwire import ApiClient, ConfigurationError, RedirectError, _template, _url
from stubwire._template import Placeholder, TemplateError


class Api(ApiClient):
    pass


@pytest.mark.parametrize(
    ("text", "origin", "base"),
    [
        ("https://api.example", "https://api.example", "https://api.example"),
        ("https://api.example/", "https://api.example", "https://api.example"),
        ("https://api.example/v1/", "https://api.example", "https://api.example/v1"),
        ("https://api.example:443/v1", "https://api.example", "https://api.example/v1"),
        ("http://api.example:80", "http://api.example", "http://api.example"),
        ("http://api.example:8080", "http://api.example:8080", "http://api.example:8080"),
        ("https://api.example:", "https://api.example", "https://api.example"),
        ("HTTPS://API.Example/V1", "https://api.example", "https://api.example/V1"),
        ("https://api.example./v1", "https://api.example.", "https://api.example./v1"),
        ("http://[::1]:8000/a", "http://[::1]:8000", "http://[::1]:8000/a"),
        ("http://[2001:DB8::1]", "http://[2001:db8::1]", "http://[2001:db8::1]"),
        ("https://api.example/a%20b/@me", "https://api.example", "https://api.example/a%20b/@me"),
    ],
)
def test_a_base_url_is_an_origin_and_a_path(text: str, origin: str, base: str) -> None:
    assert _url.parse_base_url(text, "Api") == _url.BaseUrl(origin, base, None)
    assert Api(base_url=text).base_url == base


@pytest.mark.parametrize(
    ("text", "userinfo"),
    [
        ("https://me:pass@api.example/v1", ("me", "pass")),
        ("https://me@api.example/v1", ("me", "")),
        ("https://:pass@api.example/v1", ("", "pass")),
        ("https://a%40b:p%3Aw%2F@api.example/v1", ("a@b", "p:w/")),
        ("https://@api.example/v1", None),
    ],
)
def test_userinfo_leaves_the_base_url(text: str, userinfo: tuple[str, str] | None) -> None:
    parsed = _url.parse_base_url(text, "Api")
    assert parsed == _url.BaseUrl("https://api.example", "https://api.example/v1", userinfo)


NO_HOST = "must begin with http:// or https:// and name a host, with a port or without"
NO_QUERY = "must not have a query or a fragment; write `query = {...}` for parameters that every call sends"
NO_CHARACTER = "has a character that a URL cannot have; encode it"
NO_DOTS = "has a '.' or '..' segment: write where it leads"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ' has no base_url: write `base_url = "https://..."` in the class, or pass Api(base_url=...)'),
        (None, ": base_url must be a str, not NoneType"),
        (b"https://x", ": base_url must be a str, not bytes"),
        ("api.example", f": base_url 'api.example' {NO_HOST}"),
        ("//api.example", f": base_url '//api.example' {NO_HOST}"),
        ("ftp://api.example", f": base_url 'ftp://api.example' {NO_HOST}"),
        ("https:///v1", f": base_url 'https:///v1' {NO_HOST}"),
        ("https:/api.example", f": base_url 'https:/api.example' {NO_HOST}"),
        ("https://:443", f": base_url 'https://:443' {NO_HOST}"),
        ("https://api.example:x", f": base_url 'https://api.example:x' {NO_HOST}"),
        ("https://api.example:0", f": base_url 'https://api.example:0' {NO_HOST}"),
        ("https://api.example:99999", f": base_url 'https://api.example:99999' {NO_HOST}"),
        ("https://[::1", f": base_url 'https://[::1' {NO_HOST}"),
        ("https://me:pa/ss@api.example", f": base_url '[redacted]' {NO_HOST}"),
        ("https://api.example?a=1", f": base_url 'https://api.example?a=1' {NO_QUERY}"),
        ("https://u:p@api.example?token=1", f": base_url 'https://api.example?token=[redacted]' {NO_QUERY}"),
        ("https://api.example?", f": base_url 'https://api.example?' {NO_QUERY}"),
        ("https://api.example#f", f": base_url 'https://api.example' {NO_QUERY}"),
        ("https://api.example/v1#", f": base_url 'https://api.example/v1' {NO_QUERY}"),
        ("https://api.example/a b", f": base_url 'https://api.example/a b' {NO_CHARACTER}"),
        ("https://api.exa\nmple", f": base_url 'https://api.exa\\nmple' {NO_CHARACTER}"),
        ("\x01https://api.example", f": base_url '\\x01https://api.example' {NO_CHARACTER}"),
        ("https://api.example\\@evil.example", f": base_url 'https://evil.example' {NO_CHARACTER}"),
        ("https://evil.example\\.api.example", f": base_url 'https://evil.example\\\\.api.example' {NO_CHARACTER}"),
        ("https://bücher.example", f": base_url 'https://bücher.example' {NO_CHARACTER}"),
        ("https://api.example/{version", f": base_url 'https://api.example/{{version' {NO_CHARACTER}"),
        ("https://api.example/v1/../x", f": base_url 'https://api.example/v1/../x' {NO_DOTS}"),
        ("https://api.example/%2e%2E/x", f": base_url 'https://api.example/%2e%2E/x' {NO_DOTS}"),
    ],
)
def test_a_base_url_that_is_none_is_a_configuration_error(text: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Api(base_url=text)
    assert str(caught.value) == f"Api{message}"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://API.example:443/x?y", "https://api.example"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://u:p@api.example", "https://api.example"),
        ("https://api.example@evil.example/x", "https://evil.example"),
        ("ftp://api.example", ""),
        ("/x", ""),
        ("https://", ""),
        ("https://a:b", ""),
        ("", ""),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert _url.origin(url) == origin


FROM = "https://api.example/a/b?c=d"


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/x", "https://api.example/x"),
        ("x#f", "https://api.example/a/x"),
        ("?e=f", "https://api.example/a/b?e=f"),
        ("../../..", "https://api.example/"),
        ("//other.example/x", "https://other.example/x"),
        ("https://other.example:8443/x?y#z", "https://other.example:8443/x?y"),
    ],
)
def test_a_redirect_leads_to_its_target(location: str, target: str) -> None:
    assert _url.redirect_target(FROM, location) == target


NO_PLAIN = "which is no plain http URL"


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("ftp://x.example", f"answered with a redirect to 'ftp://x.example', {NO_PLAIN}"),
        ("javascript:alert(1)", f"answered with a redirect to 'javascript:alert(1)', {NO_PLAIN}"),
        (
            "https://me:pw@x.example/?token=1",
            f"answered with a redirect to 'https://x.example/?token=[redacted]', {NO_PLAIN}",
        ),
        ("https://x.example:pa@ss/", f"answered with a redirect to 'https://ss/', {NO_PLAIN}"),
        ("https://[x", f"answered with a redirect to 'https://[x', {NO_PLAIN}"),
        ("https://x:p/w@h/", f"answered with a redirect to '[redacted]', {NO_PLAIN}"),
        ("http://api.example/?key=1", "answered with a redirect from https to 'http://api.example/?key=[redacted]'"),
    ],
)
@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
def test_a_redirect_that_is_refused_says_where_it_led(scheme: str, location: str, message: str) -> None:
    with pytest.raises(RedirectError) as caught:
        _url.redirect_target(FROM.replace("https", scheme), location)
    assert str(caught.value) == message


# ---- templates


@pytest.mark.parametrize(
    ("text", "parts", "query"),
    [
        ("", (), ()),
        ("/", ("/",), ()),
        ("/a/<b>", ("/a/", Placeholder("b", many=False)), ()),
        ("/a/{b}", ("/a/", Placeholder("b", many=False)), ()),
        ("/<path:b>/c", ("/", Placeholder("b", many=True), "/c"), ()),
        ("/{b:path}", ("/", Placeholder("b", many=True)), ()),
        ("/a.<b>-<c>", ("/a.", Placeholder("b", many=False), "-", Placeholder("c", many=False)), ()),
        ("?action=query", (), (("action", "query"),)),
        ("/a?b=c d+e%2B&f=&g&&h=i=j", ("/a",), (("b", "c%20d%20e%2B"), ("f", ""), ("g", ""), ("h", "i%3Dj"))),
        ("/a?%e9=%E9", ("/a",), (("%E9", "%E9"),)),
        ("/a%20b/~c;d=1,2:x@y", ("/a%20b/~c;d=1,2:x@y",), ()),
        ("/a//b/...", ("/a//b/...",), ()),
    ],
)
def test_a_template_is_taken_apart(text: str, parts: object, query: object) -> None:
    template = _template.parse(text)
    assert (template.text, template.parts, template.query) == (text, parts, query)


DOTS = "has a '.' or '..' segment: write the path that it stands for"
AFTER_DOTS = (
    "has a placeholder after nothing but dots, which some values would make a '.' or '..' segment: "
    "leave the dots to the value"
)
OUTSIDE = "outside a placeholder: write <name> or {name} for a parameter, and encode any other special character as %XX"
IN_QUERY = "has a placeholder or a fragment in its query: declare a query parameter"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a/b", "must begin with a slash: write '/a/b'"),
        ("<a>/b", "must begin with a slash: write '/<a>/b'"),
        ("/a b", f"has ' ' {OUTSIDE}"),
        ("/<a", f"has '<' {OUTSIDE}"),
        ("/a%2", f"has '%' {OUTSIDE}"),
        ("/a#b", f"has '#' {OUTSIDE}"),
        ("/é", f"has 'é' {OUTSIDE}"),
        ("/a\\b", f"has '\\\\' {OUTSIDE}"),
        ("/<a b>", "has the placeholder '<a b>', which is no parameter name"),
        ("/<>", "has the placeholder '<>', which is no parameter name"),
        (
            "/<int:a>",
            (
                "has the placeholder '<int:a>': the only kind is path, as in <path:a>; a parameter's type comes from "
                "its annotation"
            ),
        ),
        ("/<a>/<a>", "names 'a' twice"),
        ("/a/../b", DOTS),
        ("/a/.", DOTS),
        ("/%2e%2E/b", DOTS),
        ("/..;x/b", DOTS),
        ("/..<a>", AFTER_DOTS),
        ("/x/%2e<a>", AFTER_DOTS),
        ("/a?b=<c>", IN_QUERY),
        ("/a?b=c#d", IN_QUERY),
    ],
)
def test_a_malformed_template_says_what_to_write(text: str, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        _template.parse(text)
    assert str(caught.value) == f"path {text!r} {message}"


def test_a_prefix_and_a_path_are_joined() -> None:
    joined = _template.join(_template.parse("/a/<b>?c=d"), _template.parse("/<e>?f=g"))
    assert joined.names == ("b", "e")
    assert joined.query == (("c", "d"), ("f", "g"))


@pytest.mark.parametrize(("prefix", "path", "message"), [("/<a>", "/<a>", "names 'a' twice")])
def test_what_is_wrong_with_both_together_is_found(prefix: str, path: str, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        _template.join(_template.parse(prefix), _template.parse(path))
    assert str(caught.value) == f"path {prefix + path!r} {message}"
