"""Names of models, their versions and their aliases."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import cast

import redis

from dropaudit_store.audits.ids import member
from dropaudit_store.errors import (
    AliasNotFound,
    Conflict,
    InUse,
    ModelNameNotFound,
    ModelVersionNotFound,
    TooManyAliases,
    redis_errors,
)
from dropaudit_store.models import ModelStore
from dropaudit_store.naming.patterns import is_literal, literal_prefix, matcher
from dropaudit_store.naming.records import LIMITS, MOST_ALIASES, ModelName, ModelVersion, NamedVersion
from dropaudit_store.redis.connection import key, texts
from dropaudit_store.redis.scripts import script
from dropaudit_store.shared.formats import read_record

_NAMES = key("names")
_AT_A_TIME = 1000
# Names that a page looks at for a pattern: where few match it ends early, and the next one goes on.
_MOST_LOOKED_AT = 20_000
_MOST_TRIES = 5
_MOST_OF_CONTENT = 20


class ModelNames:
    """Names in Redis. Every method raises StoreUnavailable when Redis is gone."""

    def __init__(self, client: redis.Redis, models: ModelStore, clock: Callable[[], float] = time.time) -> None:
        self._redis = client
        self._models = models
        self._clock = clock
        self._set_alias = client.register_script(script("models/set_alias", **LIMITS))
        self._delete_alias = client.register_script(script("models/delete_alias", **LIMITS))
        self._delete = client.register_script(script("models/delete_name", **LIMITS))

    def get(self, name: str) -> ModelName:
        """Return a name. Raises ModelNameNotFound."""
        found = self._found([name])
        if not found:
            raise ModelNameNotFound(name)
        return found[0]

    def page(self, count: int, cursor: str = "", pattern: str = "") -> tuple[list[ModelName], str]:
        """Return at most `count` names that follow a name and match a pattern, in order, and the cursor of the next."""
        matching: list[str] = []
        looked_at, last = 0, cursor
        matches = matcher(pattern or "*")
        for name in self._names(literal_prefix(pattern), cursor):
            if len(matching) == count or looked_at >= _MOST_LOOKED_AT:
                return self._found(matching), last
            looked_at, last = looked_at + 1, name
            if matches(name):
                matching.append(name)
        return self._found(matching), ""

    def versions(self, name: str, count: int, before: int = 0) -> tuple[list[NamedVersion], int]:
        """Return `count` versions of a name, newest first, and the number that the next page begins before; 0: none.

        Raises:
            ModelNameNotFound: there is no such name.
        """
        self._models.adopt()
        with redis_errors():
            numbers = [int(each[2:]) for each in texts(self._redis.hkeys(_name(name))) if each.startswith("v:")]
        if not numbers:
            raise ModelNameNotFound(name)
        listed = sorted((each for each in numbers if not before or each < before), reverse=True)
        found = self._numbered([(name, each) for each in listed[:count]])
        aliases = _standing_for(self._aliases([name])[0])
        following = listed[count - 1] if len(listed) > count else 0
        return [NamedVersion(each, aliases.get(each.version, ())) for each in found if each is not None], following

    def resolve(self, name: str, alias: str = "", version: int = 0) -> ModelVersion:
        """Return the version that an alias stands for, or that has a number, or the newest.

        Raises:
            ModelNameNotFound, AliasNotFound, ModelVersionNotFound: there is none.
        """
        known = self.get(name)
        if alias:
            if alias not in known.aliases:
                raise AliasNotFound(name, alias)
            version = known.aliases[alias]
        if not version:
            return known.newest.known
        found = self._numbered([(name, version)])[0]
        if found is None:
            raise ModelVersionNotFound(name, version)
        return found

    def matching(self, pattern: str, alias: str = "", *, all_versions: bool = False) -> list[ModelVersion]:
        """Return a version of each name that matches a shell pattern, in the order of names.

        Args:
            alias: the version that it stands for, of names that have it; otherwise the newest.
            all_versions: every version instead, oldest first.
        """
        names = self._matching(pattern)
        if all_versions:
            return [found for name in names for found in self._every(name)]
        if not alias:
            return self._newest(names)
        numbers = [
            (name, found[alias]) for name, found in zip(names, self._aliases(names), strict=True) if alias in found
        ]
        return [each for each in self._numbered(numbers) if each is not None]

    def names_of(self, sha256: str) -> list[str]:
        """Return the names that have a content as a version, some of them, in order."""
        self._models.adopt()
        with redis_errors():
            return sorted(texts(self._redis.smembers(key("names-of", sha256))))[:_MOST_OF_CONTENT]

    def set_alias(self, name: str, alias: str, version: int = 0) -> NamedVersion:
        """Let an alias stand for a version, whatever it stood for before; 0 is the newest.

        Raises:
            ModelVersionNotFound: there is no such version.
            TooManyAliases: the name has as many as it may.
        """
        self._models.adopt()
        with redis_errors():
            found = str(self._set_alias(args=[name, alias, version]))
        if found == "missing":
            self.get(name)
            raise ModelVersionNotFound(name, version)
        if found == "many":
            raise TooManyAliases(name, MOST_ALIASES)
        known = _version(found)
        return NamedVersion(known, _standing_for(self._aliases([name])[0]).get(known.version, ()))

    def delete_alias(self, name: str, alias: str) -> None:
        """Delete an alias; its version stays. Raises AliasNotFound."""
        with redis_errors():
            if not self._delete_alias(args=[name, alias]):
                raise AliasNotFound(name, alias)

    def delete(self, name: str) -> None:
        """Delete a name, its versions and aliases, and the content that no other name has.

        Raises:
            ModelNameNotFound: there is no such name.
            InUse: an unfinished audit or a suite uses that content.
            Conflict: it is uploaded again and again meanwhile.
        """
        for _ in range(_MOST_TRIES):
            count, contents = self._contents(name)
            words = [
                word
                for each in self._models.find(contents)
                for word in (each.sha256, member(each.create_time, each.sha256))
            ]
            with redis_errors():
                outcome, *users = texts(self._delete(args=[name, self._clock(), count, *words]))
            if outcome == "used":
                raise InUse(f"the model named {name!r}", sorted(users))
            if outcome == "done":
                return
        raise Conflict(f"the model named {name!r}")

    def _contents(self, name: str) -> tuple[str, list[str]]:
        self._models.adopt()
        with redis_errors():
            fields = cast(dict[str, str], self._redis.hgetall(_name(name)))
        if not fields:
            raise ModelNameNotFound(name)
        versions = (_version(value) for field, value in fields.items() if field.startswith("v:"))
        return fields["count"], sorted({each.sha256 for each in versions})

    def _every(self, name: str) -> list[ModelVersion]:
        with redis_errors():
            fields = cast(dict[str, str], self._redis.hgetall(_name(name)))
        versions = (_version(value) for field, value in fields.items() if field.startswith("v:"))
        return sorted(versions, key=lambda each: each.version)

    def _matching(self, pattern: str) -> list[str]:
        if is_literal(pattern):
            return [pattern]
        return list(filter(matcher(pattern), self._names(literal_prefix(pattern))))

    def _names(self, prefix: str = "", after: str = "") -> Iterator[str]:
        """Yield the names that begin with a prefix and follow another name, in order."""
        self._models.adopt()
        low, high = b"[" + prefix.encode(), b"[" + prefix.encode() + b"\xff" if prefix else b"+"
        if after and after >= prefix:
            low = b"(" + after.encode()
        while True:
            with redis_errors():
                names = texts(self._redis.zrangebylex(_NAMES, low or b"-", high, start=0, num=_AT_A_TIME))
            yield from names
            if len(names) < _AT_A_TIME:
                return
            low = b"(" + names[-1].encode()

    def _newest(self, names: Sequence[str]) -> list[ModelVersion]:
        self._models.adopt()
        with redis_errors(), self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hget(_name(name), "newest")
            return [_version(each) for each in pipe.execute() if each is not None]

    def _found(self, names: Sequence[str]) -> list[ModelName]:
        """Return those of the names that exist."""
        newest = {each.display_name: each for each in self._newest(names)}
        with redis_errors(), self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hlen(_name(name))
            # `count` and `newest` are fields too.
            counts = [int(each) - 2 for each in pipe.execute()]
        found = zip(names, counts, self._aliases(names), strict=True)
        return [_model_name(newest[name], count, aliases) for name, count, aliases in found if name in newest]

    def _aliases(self, names: Iterable[str]) -> list[dict[str, int]]:
        with redis_errors(), self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hgetall(key("aliases", name))
            found = cast(list[dict[str, str]], pipe.execute())
        return [{alias: int(each[alias]) for alias in sorted(each)} for each in found]

    def _numbered(self, wanted: Iterable[tuple[str, int]]) -> list[ModelVersion | None]:
        with redis_errors(), self._redis.pipeline(transaction=False) as pipe:
            for name, number in wanted:
                pipe.hget(_name(name), f"v:{number}")
            return [None if each is None else _version(each) for each in pipe.execute()]


def _model_name(newest: ModelVersion, count: int, aliases: dict[str, int]) -> ModelName:
    standing = _standing_for(aliases).get(newest.version, ())
    return ModelName(newest.display_name, NamedVersion(newest, standing), count, aliases)


def _standing_for(aliases: dict[str, int]) -> dict[int, tuple[str, ...]]:
    """Return the aliases of each version."""
    return {number: tuple(sorted(a for a, n in aliases.items() if n == number)) for number in set(aliases.values())}


def _version(stored: str) -> ModelVersion:
    return read_record(stored, ModelVersion, "a version of a model")


def _name(name: str) -> str:
    return key("name", name)
