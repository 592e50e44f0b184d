"""Random reports: every field, within what the contract's types hold."""

from __future__ import annotations

from hypothesis import strategies as st

from dropaudit.findings import CATALOGUE
from dropaudit.report import (
    Artifact,
    Attribution,
    Attributions,
    Axis,
    Execution,
    Family,
    Finding,
    Histogram,
    Implementation,
    InputTensor,
    Interval,
    Output,
    Placement,
    Report,
    Scale,
    Seconds,
    Severity,
    Site,
    Spread,
    Stop,
    Verdict,
)

TEXTS = st.text(max_size=20)
# NaN is not equal to itself, and has a claim of its own.
NUMBERS = st.floats(allow_nan=False)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
UINT32 = st.integers(0, 2**32 - 1)
INT64 = st.integers(0, 2**63 - 1)

# Evidence is a Struct, whose numbers are doubles. Two names of fields are written as int64 wherever they stand.
KEYS = TEXTS.filter(lambda key: key not in ("bytes", "deviceMemoryBytes"))
EVIDENCE = st.dictionaries(
    KEYS,
    st.recursive(
        st.one_of(st.booleans(), FINITE, st.integers(-(2**53), 2**53), TEXTS),
        lambda parts: st.one_of(st.lists(parts, max_size=3), st.dictionaries(KEYS, parts, max_size=3)),
        max_leaves=6,
    ),
    max_size=4,
)
FINDINGS = st.builds(
    Finding,
    code=st.one_of(st.sampled_from(list(CATALOGUE)), TEXTS),
    slug=TEXTS,
    severity=st.sampled_from(Severity),
    subject=TEXTS,
    message=TEXTS,
    remedy=TEXTS,
    evidence=EVIDENCE,
)
INTERVALS = st.builds(Interval, estimate=NUMBERS, lower=NUMBERS, upper=NUMBERS)
SITES = st.builds(
    Site,
    name=TEXTS,
    path=TEXTS,
    placement=st.sampled_from(Placement),
    implementation=st.none() | st.sampled_from(Implementation),
    family=st.sampled_from(Family),
    declared_keep_prob=st.none() | NUMBERS,
    keep_prob=st.none() | INTERVALS,
    scale=st.none() | st.builds(Scale, min=NUMBERS, median=NUMBERS, max=NUMBERS, expected=st.none() | NUMBERS),
    active_in_default_session=st.none() | st.booleans(),
    shared_over=st.lists(st.sampled_from(Axis), max_size=3).map(tuple),
    elements=UINT32,
)
ATTRIBUTIONS = st.builds(
    Attribution,
    site=TEXTS,
    mean_gap_alone=NUMBERS,
    mean_gap_without=NUMBERS,
    variance_alone=NUMBERS,
    variance_without=NUMBERS,
)
HISTOGRAMS = st.lists(st.tuples(NUMBERS, UINT32), min_size=1, max_size=4).map(
    lambda found: Histogram(
        edges=(*(edge for edge, _ in found), found[-1][0]), counts=tuple(count for _, count in found)
    )
)
OUTPUTS = st.builds(
    Output,
    name=TEXTS,
    shape=st.lists(UINT32, max_size=4).map(tuple),
    scale_factor=st.none() | INTERVALS,
    zero_fraction=NUMBERS,
    survivor_ratio=st.none() | st.builds(Spread, min=NUMBERS, median=NUMBERS, max=NUMBERS),
    linear=st.booleans(),
    time_profile=st.lists(NUMBERS, max_size=3).map(tuple),
    histogram=st.none() | HISTOGRAMS,
    attributions=st.none() | st.builds(Attributions, sites=st.lists(ATTRIBUTIONS, max_size=2).map(tuple)),
)
EXECUTIONS = st.builds(
    Execution,
    provider=TEXTS,
    device=TEXTS,
    runtime_version=TEXTS,
    seed=UINT32,
    inputs=st.lists(
        st.builds(
            InputTensor,
            name=TEXTS,
            dtype=TEXTS,
            shape=st.lists(UINT32, max_size=3).map(tuple),
            synthesized=st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
    replicates=UINT32,
    stopped=st.sampled_from(Stop),
    seconds=st.builds(Seconds, prepare=NUMBERS, run=NUMBERS, total=NUMBERS),
    artifacts=st.lists(st.builds(Artifact, sha256=TEXTS, bytes=INT64), max_size=2).map(tuple),
    sampling=TEXTS,
    fallbacks=st.lists(TEXTS, max_size=2).map(tuple),
    placement=TEXTS,
    sampling_reason=TEXTS,
    device_memory_bytes=INT64,
)
REPORTS = st.builds(
    Report,
    verdict=st.sampled_from(Verdict),
    summary=TEXTS,
    findings=st.lists(FINDINGS, max_size=3).map(tuple),
    sites=st.lists(SITES, max_size=3).map(tuple),
    outputs=st.lists(OUTPUTS, max_size=2).map(tuple),
    execution=EXECUTIONS,
    shortened=st.lists(TEXTS, max_size=2).map(tuple),
)
