"""Claims about suites.yaml: checked as a whole, compared with what is stored, and exported so that nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from dropaudit.plan import DEFAULT_ALPHA
from dropaudit_client.documents.checking import checked
from dropaudit_client.documents.difference import Action, Detail, differences
from dropaudit_client.documents.export import exported
from dropaudit_client.documents.located import parse_located
from dropaudit_client.documents.messages import OWNER_LABEL, SecretMissing, messages_of, normal_form
from dropaudit_client.documents.problems import InvalidDocument
from dropaudit_client.documents.schema import DOCUMENTS, schema_file, schema_text
from dropaudit_client.documents.suites import SuitesDocument
from dropaudit_proto.v1 import audit_pb2 as pb

GOOD = """\
owner: registry
suites:
  nightly:
    display_name: Every night
    members:
      - glob: "*.onnx"
      - glob: {pattern: "lstm-*", role: train, alias: production}
        overrides: {keep_prob: 0.5, options: {alpha: 0.01}}
      - named: {display_name: gru.onnx, version: 3}
      - artifact: {uri: "s3://bucket/a.onnx", role: inference}
        display_name: served
      - pair: {train_model: models/aa, inference_uri: "file:///b.onnx"}
      - uri_glob: s3://bucket/**/*.onnx
      - pair_pattern: {train: "{name}-train.onnx", inference: "{name}-inference.onnx"}
      - triton: {uri: s3://bucket/repository, pattern: "a*"}
      - mlflow: models:/lstm@champion
    options: {alpha: 0.001, seed: 7, provider: cpu, compare_provider: cuda}
    schedule: {cron: "0 3 * * mon-fri", time_zone: Europe/Berlin, overlap: queue, grace: 15m}
    notifications:
      - {webhook_url: "https://hooks.example/x", form: slack, trigger: on_recovery}
      - {webhook_url: "https://example.com/hook", secret_from: HOOK_SECRET}
    labels: {team: speech, empty: ""}
    accepted_findings:
      - code: DA304
        member: "classic-*"
        reason: meant
        accepted_by: anna
        expire_time: 2027-03-31
        range: {lower: 0, upper: 0.5}
    always_audit: true
  empty: {}
"""
SECRETS = {"HOOK_SECRET": "hush", "NIGHTLY_WEBHOOK_SECRET_2": "hush"}


def parsed(text: str) -> SuitesDocument:
    return checked(parse_located(text, "suites.yaml"), SuitesDocument)


def normal(text: str, secrets: dict[str, str] = SECRETS) -> dict[str, dict[str, Any]]:
    return {suite_id: normal_form(each) for suite_id, each in messages_of(parsed(text), secrets).items()}


def problems(text: str) -> list[str]:
    with pytest.raises(InvalidDocument) as caught:
        parsed(text)
    return [f"{each.line} {each}" for each in caught.value.problems]


def test_a_document_is_read_into_the_messages_of_the_contract() -> None:
    suite = messages_of(parsed(GOOD), SECRETS)["nightly"]
    assert suite.name == "suites/nightly"
    assert [each.WhichOneof("member") for each in suite.members] == [
        "glob", "glob", "named", "artifact", "pair", "uri_glob", "pair_pattern", "triton", "mlflow"
    ]  # fmt: skip
    assert (suite.members[1].glob.role, suite.members[1].overrides.keep_prob) == (pb.TRAIN, 0.5)
    assert (suite.options.provider, suite.options.compare_provider) == (pb.PROVIDER_CPU, pb.PROVIDER_CUDA)
    assert (suite.schedule.overlap, suite.schedule.grace.seconds) == (pb.Schedule.QUEUE, 900)
    assert (suite.notifications[0].form, suite.notifications[0].trigger) == (
        pb.Notification.SLACK,
        pb.Notification.ON_RECOVERY,
    )
    assert suite.notifications[1].secret == "hush"
    assert dict(suite.labels) == {"team": "speech", "empty": "", OWNER_LABEL: "registry"}
    accepted = suite.accepted_findings[0]
    assert (accepted.code, accepted.acceptance.accepted_by) == ("DA304", "anna")
    assert accepted.acceptance.expire_time.ToJsonString() == "2027-04-01T00:00:00Z"
    assert (accepted.range.lower, accepted.range.upper) == (0, 0.5)


def test_everything_that_is_wrong_is_told_at_once_with_its_line() -> None:
    text = """\
suites:
  Nightly: {}
  one:
    schedule:
      cron: "61 3 * * *"
      time_zone: Europe/Berlyn
    members:
      - glob: ""
      - {glob: "*.onnx", triton: s3://x}
      - {}
      - pair_pattern: {train: "a.onnx", inference: "{name}.onnx"}
      - mlflow: lstm
      - named: {display_name: a, alias: b, version: 1}
    accepted_findings:
      - {code: DA999, reason: r}
    shedule: {}
  two:
    schedule: {cron: "* * * *"}
    notifications:
      - {webhook_url: "ftp://x", trigger: never}
    labels: [a]
"""
    assert problems(text) == [
        "2 suites.Nightly: a suite's name has lower-case letters, digits and hyphens, 63 at most",
        "5 suites.one.schedule.cron: the minute '61' is wrong: 61 is not from 0 to 59",
        "6 suites.one.schedule.time_zone: 'Europe/Berlyn' is not a time zone; give a name such as "
        "Europe/Berlin, or UTC",
        "8 suites.one.members[0].glob.pattern: must not be empty",
        "9 suites.one.members[1]: needs exactly one of artifact, pair, glob, named, uri_glob, pair_pattern, triton, "
        "mlflow, not glob and triton",
        "10 suites.one.members[2]: needs exactly one of artifact, pair, glob, named, uri_glob, pair_pattern, triton, "
        "mlflow",
        "11 suites.one.members[3].pair_pattern.train: must hold {name} once",
        "12 suites.one.members[4].mlflow.uri: must match ^models:/",
        "13 suites.one.members[5].named: has an alias or a version, not both",
        "15 suites.one.accepted_findings[0].code: there is no finding 'DA999'; `dropaudit explain` lists them",
        "16 suites.one.shedule: is not a key here; did you mean 'schedule'?",
        "18 suites.two.schedule.cron: five cron fields are needed, such as '0 3 * * *', not '* * * *'",
        "20 suites.two.notifications[0].webhook_url: must match ^https?://",
        "20 suites.two.notifications[0].trigger: must be 'on_change', 'on_failure', 'always' or 'on_recovery'",
        "21 suites.two.labels: must be a mapping of keys to values",
    ]


def test_a_key_that_is_not_in_the_environment_is_missed() -> None:
    with pytest.raises(SecretMissing, match="HOOK_SECRET is not set") as caught:
        messages_of(parsed(GOOD), {})
    assert caught.value.keys == ("suites", "nightly", "notifications", 1, "secret_from")


def served(suites: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return suites as a service gives them back: defaults spelled out, fields of its own, and no keys."""
    found = {}
    for suite_id, plain in suites.items():
        suite = json_format.ParseDict(plain, pb.Suite())
        suite.name, suite.etag = f"suites/{suite_id}", "etag"
        suite.create_time.GetCurrentTime()
        suite.options.alpha = suite.options.alpha or DEFAULT_ALPHA
        suite.options.provider = suite.options.provider or pb.PROVIDER_AUTO
        for each in suite.notifications:
            each.ClearField("secret")
            each.trigger = each.trigger or pb.Notification.ON_CHANGE
        found[suite_id] = normal_form(suite)
    return found


def test_applying_a_document_twice_changes_nothing() -> None:
    wanted = normal(GOOD)
    assert [each.action for each in differences(wanted, {}, "registry", prune=True)] == [Action.CREATE] * 2
    again = differences(wanted, served(wanted), "registry", prune=True)
    assert [(each.action, each.details) for each in again] == [(Action.UNCHANGED, ())] * 2


def test_an_update_names_the_fields_that_differ() -> None:
    stored = served(normal(GOOD))
    text = GOOD.replace("0 3 * *", "0 4 * *").replace('- glob: "*.onnx"\n', '- glob: "*.pb"\n').replace(
        "team: speech, ", ""
    )  # fmt: skip
    nightly, empty = differences(normal(text), stored, "registry", prune=False)
    assert (nightly.action, empty.action) == (Action.UPDATE, Action.UNCHANGED)
    assert nightly.fields == ("labels", "members", "schedule")
    assert nightly.details == (
        Detail("labels.team", "speech", None),
        Detail("members[0].glob.pattern", "*.onnx", "*.pb"),
        Detail("schedule.cron", "0 3 * * mon-fri", "0 4 * * mon-fri"),
    )


def test_a_member_that_came_is_told_as_such() -> None:
    stored = served(normal(GOOD))
    text = GOOD.replace('      - glob: "*.onnx"\n', '      - glob: "*.onnx"\n      - glob: "*.new"\n')
    (change, _) = differences(normal(text), stored, "registry", prune=False)
    assert change.details == (Detail("members[]", None, {"glob": {"pattern": "*.new"}}),)
    assert change.fields == ("members",)


def test_a_list_that_was_not_there_is_told_item_by_item() -> None:
    item = {"code": "DA304"}
    wanted = {"a": {"accepted_findings": [item]}}
    (change,) = differences(wanted, {"a": {}}, "o", prune=False)
    assert change.details == (Detail("accepted_findings[]", None, item),)
    (change,) = differences({"a": {}}, wanted, "o", prune=False)
    assert change.details == (Detail("accepted_findings[]", item, None),)


def test_only_suites_of_the_same_document_are_pruned_and_only_on_demand() -> None:
    stored = {"mine": {"labels": {OWNER_LABEL: "registry"}}, "theirs": {"labels": {OWNER_LABEL: "x"}}, "old": {}}
    wanted = normal("owner: registry\nsuites: {}\n")
    assert [(each.suite_id, each.action) for each in differences(wanted, stored, "registry", prune=True)] == [
        ("mine", Action.PRUNE)
    ]
    assert [each.action for each in differences(wanted, stored, "registry", prune=False)] == [Action.LEFT]


def test_an_export_gives_the_same_suites_again() -> None:
    stored = served(normal(GOOD))
    text, notes = exported(stored, "registry")
    assert normal(text) == stored == normal(GOOD)
    assert notes == ["nightly: the key of notifications[1] is expected in NIGHTLY_WEBHOOK_SECRET_2"]
    assert exported(served(normal(text)), "registry") == (text, notes)


def test_an_export_says_what_a_document_cannot_hold() -> None:
    suite = pb.Suite()
    suite.members.add().recorded.keep_prob = 0.5
    suite.members.add().artifact.inputs.npz = b"x"
    text, notes = exported({"a": normal_form(suite)}, "o")
    assert [note.partition(", ")[0] for note in notes] == [
        "a: members[0] is recorded arrays",
        "a: members[1] is run on arrays",
    ]
    assert "npz" not in text


WORDS = st.text("abcXYZ-*?[]{}:#'\"& ä", min_size=1, max_size=12).filter(lambda text: text.strip() == text)
MEMBERS = st.one_of(
    st.builds(lambda pattern, role: {"glob": {"pattern": pattern, "role": role}}, WORDS, st.sampled_from(["TRAIN"])),
    st.builds(lambda name: {"named": {"display_name": name}}, WORDS),
)
SUITES = st.fixed_dictionaries(
    {},
    optional={
        "display_name": WORDS,
        "members": st.lists(MEMBERS, max_size=3),
        "labels": st.dictionaries(WORDS, WORDS, max_size=3),
        "schedule": st.fixed_dictionaries({"cron": st.just("*/5 * * * *")}, optional={"paused": st.just(True)}),
        "options": st.fixed_dictionaries({}, optional={"seed": st.integers(0, 2**32 - 1), "alpha": st.just(0.25)}),
        "accepted_findings": st.lists(
            st.fixed_dictionaries(
                {"code": st.just("DA102"), "acceptance": st.builds(lambda reason: {"reason": reason}, WORDS)},
                optional={"subject": WORDS},
            ),
            max_size=2,
        ),
    },
)


@given(st.dictionaries(st.sampled_from(["a", "b-1"]), SUITES, max_size=2))
def test_whatever_a_service_holds_survives_an_export(suites: dict[str, dict[str, Any]]) -> None:
    stored = {suite_id: normal_form(json_format.ParseDict(each, pb.Suite())) for suite_id, each in suites.items()}
    for each in stored.values():
        each["labels"] = dict(sorted({**each.get("labels", {}), OWNER_LABEL: "o"}.items()))
    text, _ = exported(stored, "o")
    assert normal(text) == stored


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_schema_for_editors_is_up_to_date(name: str) -> None:
    """`python -m dropaudit_client.documents.schema` writes it again."""
    assert schema_file(name).read_text(encoding="utf-8") == schema_text(DOCUMENTS[name])


def test_the_schema_knows_keys_and_words() -> None:
    schema = json.loads(schema_file("suites").read_text(encoding="utf-8"))
    assert schema["$defs"]["Schedule"]["properties"]["overlap"]["enum"] == ["skip", "queue", "cancel_old"]
    assert "DA304" in schema["$defs"]["Accepted"]["properties"]["code"]["enum"]
    assert schema["additionalProperties"] is False


def test_the_document_in_the_guide_is_right() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "suites-file.md").read_text(encoding="utf-8")
    block = guide.split("```yaml\n")[1].split("```")[0]
    assert list(parsed(block).suites)
