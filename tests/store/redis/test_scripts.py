from __future__ import annotations

import re
from pathlib import Path

import pytest
import redis

import dropaudit_store
from dropaudit_store.audits.totals import BOUNDS
from dropaudit_store.naming.records import LIMITS
from dropaudit_store.redis.scripts import script

LUA = Path(dropaudit_store.__file__).parent / "lua"
ROOT = Path(__file__).parents[3]
SCRIPTS = sorted(
    path.relative_to(LUA).with_suffix("").as_posix() for path in LUA.rglob("*.lua") if path.parent.name != "libraries"
)


def whole(name: str) -> str:
    return script(name, BOUNDS=BOUNDS, **LIMITS)


@pytest.mark.parametrize("name", SCRIPTS)
def test_redis_takes_every_script(name: str, redis_client: redis.Redis) -> None:
    assert redis_client.script_load(whole(name))


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_names_its_arguments_at_its_top_and_uses_the_names(name: str) -> None:
    text = (LUA / f"{name}.lua").read_text(encoding="utf-8")
    comment, rest = text.split("\nlocal ", 1)
    assert comment.startswith("-- ")
    named, body = rest.split("\n\n", 1)
    arguments = re.findall(r"\w+", named.partition("=")[0])
    assert len(set(arguments)) == len(arguments) > 0
    # A list of any length has places, and what is named is not asked for by its place again.
    assert not re.search(r"(?:ARGV|KEYS)\[\d+\]", body)
    assert [each for each in arguments if not re.search(rf"\b{each}\b", body)] == [], "named and not used"


def test_every_script_is_used() -> None:
    code = "".join(
        path.read_text(encoding="utf-8") for room in ("store", "worker") for path in (ROOT / room).rglob("*.py")
    )
    used = set(re.findall(r"\bscript\(\"([a-z_/]+)\"", code))
    used |= {f"audits/{name}" for name in re.findall(r"\b_script\(\"([a-z_]+)\"", code)}
    assert used == set(SCRIPTS)


def test_libraries_come_before_what_needs_them_and_once() -> None:
    text = whole("audits/claim")
    places = [text.index(f"local function {name}(") for name in ("audit_key", "counts_key", "enter")]
    assert places == sorted(places)
    assert text.count("local function audit_key(") == 1


def test_constants_are_numbers_and_lists_of_numbers() -> None:
    text = script("models/add", MOST_VERSIONS=1000, MOST_ALIASES=100, BOUNDS=(0.1, 1800.0))
    assert text.startswith("local P = 'dropaudit:'\n")
    assert "local MOST_VERSIONS = 1000\n" in text
    assert "local BOUNDS = {0.1, 1800}\n" in text


def test_a_missing_script_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        script("audits/nothing")


def test_an_instant_is_a_number_or_so_many_seconds_from_the_clock_of_redis(redis_client: redis.Redis) -> None:
    text = script("libraries/common") + "\nreturn instant(ARGV[1])"
    seconds, micros = redis_client.time()
    before = seconds + micros / 1e6
    found = float(redis_client.eval(text, 0, "+30"))
    assert before + 29.999 <= found
    assert redis_client.eval(text, 0, "12.5") == "12.5"
