"""Claims about what is posted: signatures that hold, Slack's form, and when it is sent again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from dropaudit_worker.notifications import Dead, Delivered, Form, Receiver, Retry, message_for
from dropaudit_worker.notifications.retrying import MOST_ATTEMPTS, Again, Done, GivenUp, backoff, next_step
from dropaudit_worker.notifications.signing import sign, verify
from dropaudit_worker.notifications.slack import escaped, slack_message

BODY = b'{"test": 2432232314}'


def test_a_signature_is_that_of_the_specification() -> None:
    """The example of standardwebhooks' own libraries, and the formula written out."""
    secret, message_id, timestamp = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
    headers = sign(BODY, secret, message_id, timestamp)
    assert headers == {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    by_hand = hmac.new(key, f"{message_id}.{timestamp}.".encode() + BODY, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(by_hand).decode()


@pytest.mark.parametrize("secret", ["plain words", "whsec_c2VjcmV0", "whsec_not base64!"])
def test_what_is_signed_holds_for_five_minutes_and_for_nothing_else(secret: str) -> None:
    headers = sign(BODY, secret, "m", 1000)
    assert verify(BODY, headers, secret, 1000)
    assert verify(BODY, headers, secret, 1300)
    assert not verify(BODY, headers, secret, 1301)
    assert not verify(BODY, headers, secret, 699)
    assert not verify(BODY + b" ", headers, secret, 1000)
    assert not verify(BODY, headers, f"{secret}x", 1000)
    assert not verify(BODY, {**headers, "webhook-id": "n"}, secret, 1000)
    assert not verify(BODY, {**headers, "webhook-timestamp": "1001"}, secret, 1000)
    assert not verify(BODY, {**headers, "webhook-timestamp": "soon"}, secret, 1000)
    assert not verify(BODY, {}, secret, 1000)


def test_a_second_signature_beside_the_right_one_does_no_harm() -> None:
    headers = sign(BODY, "s", "m", 1000)
    rotated = {**headers, "webhook-signature": f"v1,AAAA {headers['webhook-signature']} v2,xyz"}
    assert verify(BODY, rotated, "s", 1000)


def member(name: str, **more: Any) -> dict[str, Any]:
    return {"displayName": name, "kind": "REPLACED", "baseVerdict": "PASS", "verdict": "FAIL", **more}


def payload(*members: dict[str, Any], **run: Any) -> dict[str, Any]:
    found = {
        "name": "suites/nightly/runs/r1",
        "verdict": "FAIL",
        "counts": {"fail": 3, "pass": 197},
        "comparison": {"members": list(members)},
        **run,
    }
    return {"type": "dropaudit.run", "trigger": "ON_CHANGE", "run": found, "links": {"run": "suites/nightly/runs/r1"}}


def texts(message: dict[str, Any]) -> list[str]:
    return [block["text"]["text"] for block in message["blocks"] if block["type"] == "section"]


def test_slack_is_told_the_verdict_and_what_changed() -> None:
    new = {"kind": "NEW", "code": "DA301", "subject": "drop"}
    old = {"kind": "PERSISTING", "code": "DA402", "subject": "drop"}
    moved = {"subject": "y", "quantity": "scaleFactor"}
    message = slack_message(payload(member("lstm.onnx", findings=[new, old], measures=[moved])))
    assert message["text"] == ":x: *nightly*: FAIL (3 FAIL, 197 PASS)"
    assert texts(message)[1] == "• `lstm.onnx`: replaced, PASS → FAIL; new DA301 drop; scaleFactor of y moved"
    assert message["blocks"][-1]["elements"][0]["text"] == "suites/nightly/runs/r1"


def test_a_run_with_little_to_tell_is_one_line() -> None:
    message = slack_message({"run": {"name": "suites/a/runs/b", "verdict": "INCONCLUSIVE", "reason": "no member"}})
    assert message["text"] == ":grey_question: *a*: INCONCLUSIVE (no member)"
    assert len(message["blocks"]) == 1


def test_names_mention_nobody_and_link_nowhere() -> None:
    message = slack_message(payload(member("<!channel> <http://x|y> & `*`\u202e")))
    assert "<" not in json.dumps(message, ensure_ascii=False)
    assert "\u202e" not in json.dumps(message, ensure_ascii=False)
    assert r"\u202e" in message["blocks"][1]["text"]["text"]
    assert escaped("<!here> & `x`") == "&lt;!here&gt; &amp; 'x'"


def test_a_large_run_stays_within_the_limits_of_slack() -> None:
    finding = {"kind": "NEW", "code": "DA301", "subject": "s" * 500}
    message = slack_message(payload(*(member("n" * 500, findings=[finding] * 30) for _ in range(300))))
    assert len(message["blocks"]) <= 50
    assert all(len(text) <= 3000 for text in texts(message))
    assert texts(slack_message(payload(*(member(f"m{at}") for at in range(30)))))[1].endswith("… and 10 more")


def test_the_form_decides_what_is_posted() -> None:
    plain = message_for(Receiver("u"), payload(), "m", 1.0)
    slack = message_for(Receiver("u", form=Form.SLACK), payload(), "m", 1.0)
    assert json.loads(plain.body)["type"] == "dropaudit.run"
    assert set(json.loads(slack.body)) == {"text", "blocks"}


def test_a_secret_is_in_no_text_of_a_receiver() -> None:
    assert "hush" not in repr(Receiver("https://hooks.example/hush", secret="hush"))


@pytest.mark.parametrize(
    ("attempt", "attempts", "step"),
    [
        (Delivered("HTTP 200"), 1, Done()),
        (Dead("HTTP 404"), 1, GivenUp()),
        (Retry("HTTP 500"), 1, Again(5.0)),
        (Retry("HTTP 500"), 2, Again(10.0)),
        (Retry("HTTP 429", 60.0), 1, Again(60.0)),
        (Retry("HTTP 500"), MOST_ATTEMPTS - 1, Again(1800.0)),
        (Retry("HTTP 500"), MOST_ATTEMPTS, GivenUp()),
    ],
)
def test_an_attempt_is_followed_by_another_or_by_nothing(attempt: Any, attempts: int, step: Any) -> None:
    assert next_step(attempt, attempts, chance=0.0) == step


def test_waits_double_up_to_an_hour_and_half_of_each_is_chance() -> None:
    assert [backoff(attempts, 0.0) for attempts in (1, 2, 3, 20, 10**6)] == [5, 10, 20, 1800, 1800]
    assert [backoff(attempts, 0.5) for attempts in (1, 2, 3, 20)] == [7.5, 15, 30, 2700]
