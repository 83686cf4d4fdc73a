"""Webhooks in a handler: over a real socket, and in the frameworks' own words."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from flask import Flask, Response
from flask import request as flask_request

from deliveries import FAILED, KEY, SUCCEEDED, Anything, ChargeEvent
from servers import AppServer
from stubwire.webhooks import StandardWebhook, StripeWebhook, WebhookError

APP = f"""
from typing import Annotated

from fastapi import FastAPI, Request, Response
from stubwire.webhooks import StandardWebhook, WebhookError, WebhookReplayError
from deliveries import ChargeEvent, ChargeFailed, ChargeSucceeded

app = FastAPI()
webhook = StandardWebhook({KEY!r}, ChargeEvent)

@app.get("/")
async def ready() -> None: ...

@app.post("/charges")
async def charges(request: Request) -> Response:
    try:
        event = webhook.verify(await request.body(), request.headers)
    except WebhookReplayError:
        return Response(status_code=409)
    except WebhookError as error:
        return Response(str(error), status_code=400)
    return Response(event.data.id)
"""


def test_a_handler_of_fastapi_over_a_real_socket(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    paths = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    sender = StandardWebhook(KEY, Anything)
    with AppServer("-m", "uvicorn", "app:app", "--port", "{port}", env={"PYTHONPATH": paths}) as server:

        def deliver(body: bytes, headers: dict[str, str] | list[tuple[str, str]]) -> tuple[int, str]:
            answer = httpx.post(f"{server.url}/charges", content=body, headers=headers, trust_env=False)
            return answer.status_code, answer.text

        first, second = sender.sign(SUCCEEDED), sender.sign(FAILED)
        assert deliver(SUCCEEDED, first) == (200, "ch_1")
        assert deliver(FAILED, {name.upper(): value for name, value in second.items()}) == (200, "ch_2")
        assert deliver(FAILED, second)[0] == 409
        assert deliver(SUCCEEDED, second)[0] == 400
        assert deliver(FAILED, sender.sign(FAILED, timestamp=1_700_000_000))[1].endswith(
            "s old, more than tolerance=300"
        )
        twice = [*sender.sign(FAILED).items(), ("webhook-id", "msg_1")]
        assert deliver(FAILED, twice) == (400, "StandardWebhook: the header webhook-id comes more than once")
        odd = {**sender.sign(FAILED), "webhook-signature": "v1,ü".encode().decode("latin-1")}
        raw = httpx.Headers([(name.encode(), value.encode("latin-1")) for name, value in odd.items()])
        answer = httpx.post(f"{server.url}/charges", content=FAILED, headers=raw, trust_env=False)
        assert (answer.status_code, answer.text[:41]) == (400, "StandardWebhook: no v1 signature in the h")


def test_a_handler_of_flask() -> None:
    """Its headers are pairs, and no mapping."""
    app = Flask(__name__)
    webhook = StripeWebhook(KEY, ChargeEvent)

    def charges() -> Response:
        try:
            event = webhook.verify(flask_request.get_data(), flask_request.headers)
        except WebhookError as error:
            return Response(str(error), status=400)
        return Response(event.data.id)

    app.add_url_rule("/charges", view_func=charges, methods=["POST"])
    with app.test_client() as client:
        assert client.post("/charges", data=FAILED, headers=webhook.sign(FAILED)).text == "ch_2"
        assert client.post("/charges", data=FAILED).text == "StripeWebhook: the header Stripe-Signature is missing"


@pytest.mark.parametrize("name", ["webhooks", "_webhook", "_webhook_parts"])
def test_it_is_loaded_where_it_is_used_and_not_before(name: str) -> None:
    code = f"import sys, stubwire\nassert 'stubwire.{name}' not in sys.modules\nimport stubwire.webhooks\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
