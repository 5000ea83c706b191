"""Every kind of combiner, found in the registry, held to the same checks."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import BundleError, PredictionError, RecoveryError
from outcry.labels.horizon import UNDEFINED
from outcry.market.frame import FloatArray, IntArray
from outcry.models.combiners import Combiner, OnlineCombiner, parse_combiner, settle_labels
from outcry.models.combiners.registry import COMBINERS

HORIZON_BARS = 3
FEATURES = ("a", "b")
OUTCOMES = {"horizon_bars": HORIZON_BARS, "half_life_bars": 5.0}
STATES = {
    "features": ["a", "b"],
    "start": [0.5, 0.5],
    "transition": [[0.9, 0.1], [0.2, 0.8]],
    "means": [[-1.0, 0.0], [1.0, 0.0]],
    "whiteners": [[[1.0, 0.0], [0.2, 1.0]], [[1.0, 0.0], [0.0, 2.0]]],
}
LEARNT = [[0.3, -0.1, 0.2, 0.4, -0.2, 0.1, 0.7], [0.0] * 7, [-0.3, 0.2, 0.1, -0.4, 0.5, 0.6, -0.7]]
EXAMPLES: dict[str, dict[str, Any]] = {
    "soft_vote": {},
    "hard_vote": {},
    "trimmed_mean": {"trim_frac": 0.5},
    "multi_horizon": {"horizons_bars": [1, 5, 20]},
    "stacking": {
        "link": "softmax",
        "intercepts": [0.1, 0.2, 0.3],
        "coefficients": LEARNT,
        "features": [{"name": "b", "mean": 0.1, "deviation": 2.0}],
    },
    "regime_thresholds": {
        "axes": [{"feature": "a", "thresholds": [-0.5, 0.5]}],
        "regime_weights_frac": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.2, 0.2, 0.6]],
    },
    "hidden_markov": {
        "scope": "symbol",
        "states": STATES,
        "state_weights_frac": [[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]],
    },
    "adaptive": OUTCOMES,
    "selection": OUTCOMES,
    "thompson": OUTCOMES,
}
OF_ONE: dict[str, dict[str, Any]] = {
    "multi_horizon": {"horizons_bars": [5]},
    "regime_thresholds": {"regime_weights_frac": [[1.0]] * 3},
    "hidden_markov": {"state_weights_frac": [[1.0]] * 2},
}
"""What else an example needs that has one member."""

each_kind = pytest.mark.parametrize("kind", COMBINERS)
each_online_kind = pytest.mark.parametrize(
    "kind", [kind for kind, each in COMBINERS.items() if issubclass(each, OnlineCombiner)]
)
seeds = st.integers(0, 2**32 - 1)


def make(kind: str, **changes: Any) -> Combiner:
    """Return the example of a kind, by way of its JSON."""
    weights = {"weights_frac": [0.5, 0.3, 0.2]} if "weights_frac" in COMBINERS[kind].spec_type.model_fields else {}
    return parse_combiner(json.dumps({"kind": kind, **weights, **EXAMPLES[kind], **changes}).encode())


def columns_of(combiner: Combiner) -> IntArray:
    return np.array([FEATURES.index(name) for name in combiner.feature_names], dtype=np.int64)


def draw(seed: int, *shape: int, n_members: int = 3) -> tuple[FloatArray, FloatArray]:
    """Return probabilities, of which some are missing, and features, of which some are not known."""
    rng = np.random.default_rng(seed)
    probability = rng.dirichlet((1.0, 1.0, 1.0), size=(n_members, *shape))
    probability[rng.random((n_members, *shape)) < 0.05] = np.nan
    rows = rng.normal(size=(*shape, 2))
    rows[rng.random(rows.shape) < 0.1] = np.nan
    return probability, rows


def draw_labels(seed: int, n_frames: int, n_symbols: int) -> Any:
    return np.random.default_rng((1, seed)).integers(UNDEFINED, 3, (n_frames, n_symbols)).astype(np.int8)


def test_every_kind_has_an_example() -> None:
    assert EXAMPLES.keys() == COMBINERS.keys()


@each_kind
def test_json_brings_back_the_same_combiner(kind: str) -> None:
    combiner = make(kind)
    text = combiner.to_json()
    again = parse_combiner(text)
    assert type(again) is COMBINERS[kind]
    assert again.spec == combiner.spec
    assert again.to_json() == text


@each_kind
@pytest.mark.parametrize("min_agreement_frac", [0.0, 0.6])
@given(seed=seeds)
def test_rows_sum_to_one_or_are_nan(kind: str, min_agreement_frac: float, seed: int) -> None:
    combiner = make(kind, min_agreement_frac=min_agreement_frac)
    probability, rows = draw(seed, 20)
    answer = combiner.combine(probability, rows, columns_of(combiner))
    is_nan = np.isnan(answer)
    assert np.array_equal(is_nan.any(axis=1), is_nan.all(axis=1))
    assert is_nan[np.isnan(probability).any(axis=2).all(axis=0)].all()
    known = answer[~is_nan[:, 0]]
    assert (known >= 0.0).all()
    np.testing.assert_allclose(known.sum(axis=1), 1.0, rtol=0.0, atol=1e-12)


@each_kind
@given(seed=seeds)
def test_a_row_has_the_same_bits_in_any_batch(kind: str, seed: int) -> None:
    combiner = make(kind, min_agreement_frac=0.5)
    columns = columns_of(combiner)
    probability, rows = draw(seed, 17)
    whole = combiner.combine(probability, rows, columns)
    order = np.random.default_rng(seed).permutation(17)
    assert combiner.combine(probability[:, order], rows[order], columns).tobytes() == whole[order].tobytes()
    for row in range(17):
        alone = combiner.combine(probability[:, row : row + 1], rows[row : row + 1], columns)
        assert alone.tobytes() == whole[row : row + 1].tobytes()


@pytest.mark.parametrize("kind", sorted(COMBINERS.keys() - {"hard_vote", "stacking"}))
@given(seed=seeds)
def test_a_member_alone_is_taken_as_it_is(kind: str, seed: int) -> None:
    weights = {"weights_frac": [1.0]} if "weights_frac" in COMBINERS[kind].spec_type.model_fields else {}
    combiner = make(kind, **weights, **OF_ONE.get(kind, {}))
    columns = columns_of(combiner)
    probability, rows = draw(seed, 12, 4, n_members=1)
    if isinstance(combiner, OnlineCombiner):
        answer = combiner.replay(0, probability, draw_labels(seed, 12, 4), rows, columns)
    else:
        answer = combiner.combine(probability.reshape(1, -1, 3), rows.reshape(-1, 2), columns).reshape(12, 4, 3)
    known = ~np.isnan(probability[0])
    # the weights of hidden states are multiplied by probabilities that add up to 1 but for rounding
    np.testing.assert_allclose(answer[known], probability[0][known], rtol=0 if kind != "hidden_markov" else 1e-15)


@pytest.mark.parametrize("kind", sorted(k for k in COMBINERS if "weights_frac" in COMBINERS[k].spec_type.model_fields))
@given(seed=seeds)
def test_a_member_without_weight_is_ignored(kind: str, seed: int) -> None:
    without = {"regime_weights_frac": [[0.6, 0.4, 0.0]] * 3, "state_weights_frac": [[0.3, 0.7, 0.0]] * 2}
    changes = {name: value for name, value in without.items() if name in EXAMPLES[kind]}
    labels = draw_labels(seed, 10, 4)
    probability, rows = draw(seed, 10, 4)
    probability = np.nan_to_num(probability, nan=1 / 3)
    other = probability.copy()
    other[2] = probability[2][::-1]
    answers = []
    for said in (probability, other):
        combiner = make(kind, weights_frac=[0.6, 0.4, 0.0], **changes)
        columns = columns_of(combiner)
        if isinstance(combiner, OnlineCombiner):
            # of its probabilities, only the outcomes of the others may be judged by comparison with it
            labels = np.full_like(labels, UNDEFINED) if kind == "thompson" else labels
            answers.append(combiner.replay(0, said, settle_labels(labels, HORIZON_BARS), rows, columns))
        else:
            answers.append(combiner.combine(said.reshape(3, -1, 3), rows.reshape(-1, 2), columns))
    assert answers[0].tobytes() == answers[1].tobytes()


@each_kind
@pytest.mark.parametrize("shape", [(3, 5, 2), (3, 5), (0, 5, 3)])
def test_another_shape_is_refused(kind: str, shape: tuple[int, ...]) -> None:
    combiner = make(kind)
    with pytest.raises(PredictionError, match="probability must have shape"):
        combiner.combine(np.zeros(shape), np.zeros((5, 2)), columns_of(combiner))


@each_kind
def test_features_that_are_not_there_are_refused(kind: str) -> None:
    combiner = make(kind)
    probability = np.full((3, 5, 3), 1 / 3)
    if combiner.feature_names and not isinstance(combiner, OnlineCombiner):
        with pytest.raises(PredictionError, match="columns must be"):
            combiner.combine(probability, np.zeros((5, 2)), columns_of(combiner) + 2)
        with pytest.raises(PredictionError, match="rows must have shape"):
            combiner.combine(probability, np.zeros((4, 2)), columns_of(combiner))


@each_kind
@given(seed=seeds)
def test_damaged_json_is_refused_with_a_name(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    content = json.loads(make(kind).to_json())
    content.pop(str(rng.choice([name for name in content if name != "kind"])))
    changed = json.loads(make(kind).to_json())
    changed[str(rng.choice(list(changed)))] = [-7, "x"][rng.integers(2)]
    text = make(kind).to_json()
    for damaged in (text[: rng.integers(0, len(text) - 2)], json.dumps(changed).encode()):
        with pytest.raises(BundleError, match="combiner"):
            parse_combiner(damaged)
    try:
        parse_combiner(json.dumps(content).encode())  # some fields have a default
    except BundleError as error:
        assert "Field required" in str(error) or "must" in str(error)  # noqa: PT017


@each_online_kind
@given(seed=seeds, cut=st.integers(1, 29))
def test_frame_by_frame_equals_the_whole_matrix_and_a_restart_changes_nothing(kind: str, seed: int, cut: int) -> None:
    probability, rows = draw(seed, 30, 4)
    settled = settle_labels(draw_labels(seed, 30, 4), HORIZON_BARS)
    whole, single = make(kind, min_agreement_frac=0.4), make(kind, min_agreement_frac=0.4)
    assert isinstance(whole, OnlineCombiner)
    assert isinstance(single, OnlineCombiner)
    columns = columns_of(whole)
    answers = whole.replay(-10, probability, settled, rows, columns)
    for t in range(30):
        if t == cut:
            state = single.snapshot()
            single.update(t - 10, probability[:, t], settled[t], rows[t], columns)  # lost
            single = make(kind, min_agreement_frac=0.4)
            assert isinstance(single, OnlineCombiner)
            single.restore(state)
        single.update(t - 10, probability[:, t], settled[t], rows[t], columns)
        single.update(t - 10, probability[:, t], settled[t], rows[t], columns)  # again
        assert single.combine(probability[:, t], rows[t], columns).tobytes() == answers[t].tobytes()
    assert single.weights_frac.tobytes() == whole.weights_frac.tobytes()
    ends = single.snapshot().arrays, whole.snapshot().arrays
    assert all(ends[0][name].tobytes() == array.tobytes() for name, array in ends[1].items())
    whole.restart()
    pieces = [
        whole.replay(first - 10, probability[:, first:last], settled[first:last], rows[first:last], columns)
        for first, last in ((0, cut), (cut, 30))
    ]
    assert np.concatenate(pieces).tobytes() == answers.tobytes()


@each_online_kind
@given(seed=seeds, t=st.integers(0, 29))
def test_what_is_not_known_yet_changes_nothing(kind: str, seed: int, t: int) -> None:
    probability, rows = draw(seed, 30, 4)
    labels = draw_labels(seed, 30, 4)
    columns = columns_of(make(kind))
    answers = []
    for is_changed in (False, True):
        combiner = make(kind)
        assert isinstance(combiner, OnlineCombiner)
        if is_changed:  # everything after frame t, and the labels that depend on it
            labels = labels.copy()
            labels[max(t - HORIZON_BARS + 1, 0) :] = draw_labels(seed + 1, 30, 4)[max(t - HORIZON_BARS + 1, 0) :]
            probability, rows = probability.copy(), rows.copy()
            probability[:, t + 1 :], rows[t + 1 :] = (part[..., t + 1 :, :, :] for part in draw(seed + 1, 30, 4))
        answers.append(combiner.replay(0, probability, settle_labels(labels, HORIZON_BARS), rows, columns))
    assert answers[0][: t + 1].tobytes() == answers[1][: t + 1].tobytes()


@each_online_kind
def test_frames_left_out_wrong_outcomes_and_the_state_of_another_are_refused(kind: str) -> None:
    combiner = make(kind)
    assert isinstance(combiner, OnlineCombiner)
    columns = columns_of(combiner)
    said, rows, settled = np.full((3, 4, 3), 1 / 3), np.zeros((4, 2)), np.zeros(4, dtype=np.int8)
    combiner.update(5, said, settled, rows, columns)
    with pytest.raises(PredictionError, match="seq must be 6, was 7"):
        combiner.update(7, said, settled, rows, columns)
    with pytest.raises(PredictionError, match="settled must be"):
        combiner.update(6, said, settled + 3, rows, columns)
    with pytest.raises(PredictionError, match="settled must be"):
        combiner.update(6, said, settled[1:], rows, columns)
    with pytest.raises(PredictionError, match="n_symbols must be 4, was 3"):
        combiner.update(6, said[:, 1:], settled[1:], rows[1:], columns)
    other = make(kind, min_agreement_frac=0.5)
    assert isinstance(other, OnlineCombiner)
    with pytest.raises(RecoveryError, match="combiner_hash must be"):
        other.restore(combiner.snapshot())


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b'{"kind": "oracle"}', b'{"kind": 3}', b"\xff", b"null"])
def test_what_is_no_combiner_is_refused(text: bytes) -> None:
    with pytest.raises(BundleError, match="combiner"):
        parse_combiner(text)
