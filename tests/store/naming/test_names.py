"""Claims about names of models, their versions and their aliases."""

from __future__ import annotations

import pytest
import redis

from dropaudit_store.errors import (
    AliasNotFound,
    InUse,
    ModelNameNotFound,
    ModelNotFound,
    ModelVersionNotFound,
    TooManyAliases,
)
from dropaudit_store.models import ModelStore
from dropaudit_store.naming.names import ModelNames
from dropaudit_store.redis.connection import key
from dropaudit_store.redis.scripts import script
from support.clock import Clock

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


@pytest.fixture
def models(redis_client: redis.Redis, clock: Clock) -> ModelStore:
    return ModelStore(redis_client, clock)


@pytest.fixture
def names(redis_client: redis.Redis, models: ModelStore, clock: Clock) -> ModelNames:
    return ModelNames(redis_client, models, clock)


def numbered(names: ModelNames, name: str) -> list[tuple[int, str]]:
    return [(each.known.version, each.known.sha256) for each in names.versions(name, 100)[0]]


def test_each_content_under_a_name_is_a_version_and_the_newest_comes_first(
    models: ModelStore, names: ModelNames, clock: Clock
) -> None:
    models.add(A, 10, "lstm.onnx", "ci")
    clock.now += 5
    models.add(B, 20, "lstm.onnx")
    assert numbered(names, "lstm.onnx") == [(2, B), (1, A)]
    first = names.resolve("lstm.onnx", version=1)
    assert (first.uploader, first.size, first.create_time) == ("ci", 10, clock.now - 5)
    assert names.get("lstm.onnx").newest.known.sha256 == B


def test_an_upload_of_what_is_newest_makes_no_version_and_one_of_what_was_before_does(
    models: ModelStore, names: ModelNames
) -> None:
    for digest in (A, A, B, B, A):
        models.add(digest, 1, "m.onnx")
    assert numbered(names, "m.onnx") == [(3, A), (2, B), (1, A)]


def test_one_content_may_have_several_names(models: ModelStore, names: ModelNames) -> None:
    models.add(A, 1, "one.onnx")
    models.add(A, 1, "two.onnx")
    assert names.names_of(A) == ["one.onnx", "two.onnx"]
    assert names.resolve("two.onnx").sha256 == A


def test_an_alias_stands_for_a_version_until_it_is_moved(models: ModelStore, names: ModelNames) -> None:
    for digest in (A, B):
        models.add(digest, 1, "m.onnx")
    assert names.set_alias("m.onnx", "production", 1).aliases == ("production",)
    names.set_alias("m.onnx", "candidate")
    assert names.get("m.onnx").aliases == {"candidate": 2, "production": 1}
    assert names.resolve("m.onnx", "production").sha256 == A
    names.set_alias("m.onnx", "production", 2)
    assert names.resolve("m.onnx", "production").sha256 == B
    assert [each.aliases for each in names.versions("m.onnx", 9)[0]] == [("candidate", "production"), ()]
    names.delete_alias("m.onnx", "production")
    assert names.get("m.onnx").aliases == {"candidate": 2}


def test_what_is_not_there_is_not_found(models: ModelStore, names: ModelNames) -> None:
    models.add(A, 1, "m.onnx")
    for missing, call in (
        (ModelNameNotFound, lambda: names.get("other")),
        (ModelNameNotFound, lambda: names.versions("other", 1)),
        (ModelNameNotFound, lambda: names.set_alias("other", "a")),
        (ModelNameNotFound, lambda: names.delete("other")),
        (ModelVersionNotFound, lambda: names.resolve("m.onnx", version=2)),
        (ModelVersionNotFound, lambda: names.set_alias("m.onnx", "a", 2)),
        (AliasNotFound, lambda: names.resolve("m.onnx", "a")),
        (AliasNotFound, lambda: names.delete_alias("m.onnx", "a")),
    ):
        with pytest.raises(missing):
            call()


def test_a_pattern_takes_the_newest_version_of_each_name_or_that_of_an_alias_or_all(
    models: ModelStore, names: ModelNames
) -> None:
    for digest, name in ((A, "lstm-1.onnx"), (B, "lstm-1.onnx"), (C, "lstm-2.onnx"), (A, "gru.onnx")):
        models.add(digest, 1, name)
    names.set_alias("lstm-1.onnx", "production", 1)

    def found(pattern: str, alias: str = "", *, every: bool = False) -> list[tuple[str, int]]:
        matching = names.matching(pattern, alias, all_versions=every)
        return [(each.display_name, each.version) for each in matching]

    assert found("lstm-*") == [("lstm-1.onnx", 2), ("lstm-2.onnx", 1)]
    assert found("*", "production") == [("lstm-1.onnx", 1)]
    assert found("lstm-?.onnx", every=True) == [("lstm-1.onnx", 1), ("lstm-1.onnx", 2), ("lstm-2.onnx", 1)]
    assert found("gru.onnx") == [("gru.onnx", 1)]
    assert found("none.onnx") == found("none*") == found("none", every=True) == []


def test_names_are_listed_in_order_in_pages(models: ModelStore, names: ModelNames) -> None:
    for name in ("é.onnx", "b.onnx", "a.onnx", "ab.onnx", "a"):
        models.add(A, 1, name)
    first, cursor = names.page(2)
    assert [each.display_name for each in first] == ["a", "a.onnx"]
    second, cursor = names.page(9, cursor)
    assert ([each.display_name for each in second], cursor) == (["ab.onnx", "b.onnx", "é.onnx"], "")
    assert [each.display_name for each in names.page(9, "", "a*.onnx")[0]] == ["a.onnx", "ab.onnx"]
    assert [each.display_name for each in names.page(9, "", "é*")[0]] == ["é.onnx"]


def test_versions_are_listed_in_pages(models: ModelStore, names: ModelNames) -> None:
    for digest in (A, B, C):
        models.add(digest, 1, "m.onnx")
    first, before = names.versions("m.onnx", 2)
    second, end = names.versions("m.onnx", 2, before)
    assert [each.known.version for each in (*first, *second)] == [3, 2, 1]
    assert end == 0


def test_old_versions_are_forgotten_unless_an_alias_stands_for_them(
    models: ModelStore, names: ModelNames, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    fewer = script("models/add", MOST_VERSIONS=2, MOST_ALIASES=100)
    monkeypatch.setattr(models, "_add", redis_client.register_script(fewer))
    models.add(A, 1, "m.onnx")
    names.set_alias("m.onnx", "first")
    for number in range(4):
        models.add(str(number) * 64, 1, "m.onnx")
    assert [version for version, _ in numbered(names, "m.onnx")] == [5, 4, 1]
    assert names.get("m.onnx").version_count == 3
    assert models.get("0" * 64).sha256 == "0" * 64


def test_a_name_has_so_many_aliases_at_most(models: ModelStore, names: ModelNames) -> None:
    models.add(A, 1, "m.onnx")
    for number in range(100):
        names.set_alias("m.onnx", f"a{number}")
    with pytest.raises(TooManyAliases, match="100"):
        names.set_alias("m.onnx", "one-more")
    names.set_alias("m.onnx", "a7")


def test_deleting_a_model_takes_its_versions_along_and_what_stood_for_them(
    models: ModelStore, names: ModelNames
) -> None:
    for digest in (A, B, A):
        models.add(digest, 1, "m.onnx")
    models.add(A, 1, "other.onnx")
    names.set_alias("m.onnx", "production", 3)
    models.delete(A)
    assert numbered(names, "m.onnx") == [(2, B)]
    assert names.get("m.onnx").aliases == {}
    assert names.get("m.onnx").newest.known.sha256 == B
    with pytest.raises(ModelNameNotFound):
        names.get("other.onnx")
    # A number is never given twice.
    models.add(C, 1, "m.onnx")
    assert numbered(names, "m.onnx") == [(4, C), (2, B)]


def test_deleting_a_name_deletes_the_content_that_no_other_name_has(models: ModelStore, names: ModelNames) -> None:
    models.add(A, 1, "m.onnx")
    models.add(B, 1, "m.onnx")
    models.add(B, 1, "other.onnx")
    names.set_alias("m.onnx", "production")
    names.delete("m.onnx")
    with pytest.raises(ModelNotFound):
        models.get(A)
    assert models.get(B).sha256 == B
    assert [each.display_name for each in names.page(9)[0]] == ["other.onnx"]


def test_a_name_whose_content_is_used_is_not_deleted(
    models: ModelStore, names: ModelNames, redis_client: redis.Redis
) -> None:
    models.add(A, 1, "m.onnx")
    models.add(B, 1, "m.onnx")
    redis_client.sadd(key("refs", A), "audits/1")
    with pytest.raises(InUse, match="audits/1"):
        names.delete("m.onnx")
    assert len(numbered(names, "m.onnx")) == 2
    assert models.get(B).sha256 == B


def test_models_that_an_earlier_version_stored_are_versions_of_their_names_oldest_first(
    models: ModelStore, names: ModelNames, redis_client: redis.Redis
) -> None:
    for seconds, digest in enumerate((A, B)):
        body = f'{{"sha256":"{digest}","size":1,"display_name":"m.onnx","create_time":{seconds + 1}.0}}'
        redis_client.set(key("model", digest), body)
        redis_client.zadd(key("models"), {f"{(seconds + 1) * 1_000_000:016x}:{digest}": 0})
    # Whether it is read first or another one comes first: what is uploaded now is the newest.
    models.add(C, 1, "m.onnx")
    assert numbered(names, "m.onnx") == [(3, C), (2, B), (1, A)]
