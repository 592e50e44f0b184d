"""Claims about the operators around a site."""

from __future__ import annotations

import pytest

from dropaudit import ArtifactSubject, Plan, Provider, Role, audit
from dropaudit.report import Operator, Site
from dropaudit_models.specimens import first_specimens
from support.graphs import dense

PLAN = Plan(provider=Provider.CPU, max_replicates=64)


def sites_of(model: bytes) -> tuple[Site, ...]:
    return audit(ArtifactSubject(model, Role.TRAIN), PLAN).sites


def types(operators: tuple[Operator, ...]) -> list[str]:
    return [operator.type or f"={operator.name}" for operator in operators]


def test_an_operator_stands_alone_between_what_makes_its_data_and_what_reads_its_result() -> None:
    (site,) = sites_of(dense("h = Relu(x)  d = Dropout(h, r, t)  y = Neg(d)"))
    assert site.surroundings is not None
    assert types(site.surroundings.before) == ["=x", "Relu"]
    assert types(site.surroundings.mask) == []
    assert types(site.surroundings.applied) == ["Dropout"]
    assert types(site.surroundings.after) == ["Neg", "=y"]
    assert site.surroundings.readers == 1


def test_a_fork_behind_a_site_ends_the_drawing_and_tells_how_many_read() -> None:
    (site,) = sites_of(dense("h = Relu(x)  d = Dropout(h, r, t)  a = Neg(d)  b = Abs(d)  y = Add(a, b)"))
    assert site.surroundings is not None
    assert types(site.surroundings.after) == ["Neg"]
    assert site.surroundings.readers == 2


def first_of(kind: str) -> bytes:
    """Return the first specimen of a kind, as a file holds it."""
    (found,) = [each for each in first_specimens() if each.kind.name == kind][:1]
    return found.model().SerializeToString()


@pytest.mark.parametrize("kind", ["inverted", "inverted-bernoulli", "locked", "gaussian", "spatial", "embedding-rows"])
def test_every_site_has_operators_that_apply_it(kind: str) -> None:
    for site in sites_of(first_of(kind)):
        assert site.surroundings is not None
        assert site.name in {operator.name for operator in site.surroundings.applied}


def test_a_mask_of_operators_leads_from_the_draw_to_where_it_is_applied() -> None:
    (site,) = sites_of(first_of("inverted-bernoulli"))
    assert site.surroundings is not None
    assert types(site.surroundings.mask)[0] == "Bernoulli"
    assert types(site.surroundings.applied)[0] in ("Mul", "Where")
