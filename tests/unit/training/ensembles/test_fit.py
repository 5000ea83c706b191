"""Each method finds what is to be found in predictions out of fold, and nothing in later ones."""

from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression

from configs.ensemble import (
    BlendingConfig,
    EnsembleConfig,
    HiddenMarkovConfig,
    MultiHorizonConfig,
    RegimeThresholdsConfig,
    SoftVoteConfig,
    StackingConfig,
)
from outcry.errors import ConfigurationError, DataValidationError
from outcry.labels.horizon import LabelArray
from outcry.market.frame import FloatArray
from outcry.models.combiners import parse_combiner
from outcry.models.combiners.regime_thresholds import RegimeAxis
from training.ensembles.apply import combine_rows
from training.ensembles.fit import fit_combiner
from training.ensembles.hidden_markov import fit_states
from training.ensembles.out_of_fold import OutOfFold

FEATURES = ("tech_hv_20_percentile", "stat_volatility_20_252_ensemble")
N_FRAMES, N_SYMBOLS, HORIZON_BARS = 400, 6, 3
AXES = (RegimeAxis(feature="tech_hv_20_percentile", thresholds=(0.5,)),)
MARKOV = HiddenMarkovConfig(features=("tech_hv_20_percentile",), n_states=2, n_starts=2, prior_rows=50.0)
EXAMPLES: list[dict[str, Any]] = [
    {"method": "soft_vote"},
    {"method": "soft_vote", "is_per_class": True},
    {"method": "soft_vote", "weights": "sharpe"},
    {"method": "soft_vote", "weights": "inverse_log_loss", "weights_frac": None},
    {"method": "hard_vote", "min_agreement_frac": 0.6},
    {"method": "mean"},
    {"method": "trimmed_mean"},
    {"method": "median"},
    {"method": "stacking", "meta_learner": "logistic", "features": FEATURES},
    {"method": "stacking"},
    {"method": "blending"},
    {"method": "regime_thresholds"},
    {"method": "hidden_markov", "features": FEATURES[:1], "n_states": 2, "n_starts": 1},
    {"method": "hidden_markov", "features": FEATURES[:1], "n_states": 2, "n_starts": 1, "scope": "symbol"},
    {"method": "adaptive"},
    {"method": "adaptive", "score": "sharpe"},
    {"method": "selection"},
    {"method": "thompson"},
    {"method": "multi_horizon"},
]


@pytest.fixture(scope="module")
def data() -> OutOfFold:
    """Return predictions of three members: the first is good in a calm market, the second in a wild one."""
    rng = np.random.default_rng(8)
    is_wild = np.arange(N_FRAMES) // 50 % 2 == 1
    percentile = np.clip(
        np.where(is_wild, 0.8, 0.2)[:, np.newaxis] + 0.1 * rng.normal(size=(N_FRAMES, N_SYMBOLS)), 0, 1
    )
    labels = rng.integers(0, 3, (N_FRAMES, N_SYMBOLS)).astype(np.int8)
    said = rng.dirichlet((4.0, 4.0, 4.0), size=(3, N_FRAMES, N_SYMBOLS))
    for k, is_good in enumerate((~is_wild, is_wild)):
        said[k, is_good] = 0.6 * said[k, is_good] + 0.4 * np.eye(3)[labels[is_good]]
    frame = np.repeat(np.arange(N_FRAMES), N_SYMBOLS)
    features = np.stack((percentile, np.where(is_wild, 2.0, 3.0)[:, np.newaxis] + 0.0 * percentile), axis=-1)
    return OutOfFold(
        probability=said.reshape(3, -1, 3),
        labels=labels.ravel(),
        frame=100 + frame,
        symbol=np.tile(np.arange(N_SYMBOLS), N_FRAMES),
        trained_to=100 + frame // 100 * 100 - HORIZON_BARS - 1,
        horizon_bars=HORIZON_BARS,
        rows=features.reshape(-1, 2),
        feature_names=FEATURES,
        learnt_bars=(1, 2, HORIZON_BARS),
    )


def config_of(example: dict[str, Any]) -> EnsembleConfig:
    config: EnsembleConfig = TypeAdapter(EnsembleConfig).validate_python(example)
    return config


def loss(probability: FloatArray, labels: LabelArray) -> float:
    return float(-np.log(probability[np.arange(len(labels)), labels]).mean())


def later(data: OutOfFold) -> Any:
    return data.frame >= 300 + HORIZON_BARS


def test_every_method_has_an_example() -> None:
    methods = {each.model_fields["method"].default for each in get_args(get_args(EnsembleConfig)[0])}
    assert {example["method"] for example in EXAMPLES} == methods


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: "-".join(str(value) for value in example.values()))
def test_what_is_fitted_travels_as_json_and_combines_every_row(data: OutOfFold, example: dict[str, Any]) -> None:
    combiner = fit_combiner(data.up_to(299), config_of(example))
    answer = combine_rows(combiner, data)
    np.testing.assert_allclose(answer.sum(axis=1), 1.0, rtol=0.0, atol=1e-12)
    again = parse_combiner(combiner.to_json())
    assert combine_rows(again, data).tobytes() == answer.tobytes()
    if example["method"] not in {"hard_vote", "median"}:
        best = min(loss(member[later(data)], data.labels[later(data)]) for member in data.probability)
        assert loss(answer[later(data)], data.labels[later(data)]) < best + 0.05


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: "-".join(str(value) for value in example.values()))
def test_without_rows_members_count_the_same(data: OutOfFold, example: dict[str, Any]) -> None:
    combiner = fit_combiner(data.up_to(-1), config_of(example))
    one = data.where(data.frame == 100)
    answer = combine_rows(combiner, one)
    if example["method"] not in {"hard_vote", "median", "thompson"}:
        np.testing.assert_allclose(answer, one.probability.mean(axis=0), rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("method", ["regime_thresholds", "hidden_markov"])
def test_weights_of_regimes_beat_plain_ones_where_skill_depends_on_the_regime(data: OutOfFold, method: str) -> None:
    aware = RegimeThresholdsConfig(axes=AXES, prior_rows=50.0) if method == "regime_thresholds" else MARKOV
    answers = [
        combine_rows(fit_combiner(data.up_to(299), config), data)[later(data)] for config in (SoftVoteConfig(), aware)
    ]
    labels = data.labels[later(data)]
    assert loss(answers[1], labels) < loss(answers[0], labels) - 0.1


def test_few_rows_of_a_regime_lean_to_the_weights_of_all(data: OutOfFold) -> None:
    plain = np.array(fit_combiner(data, SoftVoteConfig()).spec.model_dump()["weights_frac"])
    offs = []
    for prior_rows in (0.0, 1_000.0, 1e9):
        config = RegimeThresholdsConfig(axes=AXES, prior_rows=prior_rows)
        of_regime = np.array(fit_combiner(data, config).spec.model_dump()["regime_weights_frac"])
        offs.append(np.abs(of_regime - plain).max())
    assert offs[0] > 0.2
    assert offs[0] > offs[1] > offs[2]
    assert offs[2] < 1e-3


def test_hidden_states_are_found_and_ordered(data: OutOfFold) -> None:
    states = fit_states(data, MARKOV)
    np.testing.assert_allclose(np.ravel(states.means), [0.2, 0.8], atol=0.03)
    assert np.diagonal(states.transition).min() > 0.95
    # of the market, the mean of six symbols
    np.testing.assert_allclose(1.0 / np.ravel(states.whiteners), 0.1 / np.sqrt(6.0), rtol=0.2)


def test_states_cannot_be_told_by_what_does_not_vary(data: OutOfFold) -> None:
    config = HiddenMarkovConfig(features=FEATURES[1:])
    constant = data.where(data.frame < 150)
    with pytest.raises(DataValidationError, match=f"{FEATURES[1]} must vary to tell states"):
        fit_combiner(constant, config)
    with pytest.raises(DataValidationError, match="rows with every feature must be 60 or more, were 10"):
        fit_combiner(data.where(data.frame < 110), HiddenMarkovConfig(features=FEATURES))


def test_stacking_learns_what_that_of_scikit_learn_does(data: OutOfFold) -> None:
    class Said(LogisticRegression):  # type: ignore[misc]
        """A member that says, of a row, what the row holds of it."""

        def __init__(self, first: int = 0) -> None:
            super().__init__()
            self.first = first

        def fit(self, x: FloatArray, y: LabelArray) -> "Said":
            self.classes_ = np.arange(3)
            return self

        def predict_proba(self, x: FloatArray) -> FloatArray:
            return x[:, 2 * self.first : 2 * self.first + 2]

    log = np.log(data.probability)
    odds = np.concatenate([(log - log[:, :, 1:2])[k][:, [0, 2]] for k in range(3)], axis=1)
    members = [(str(k), Said(k)) for k in range(3)]
    oracle = StackingClassifier(members, LogisticRegression(C=1e6, max_iter=5_000, tol=1e-9), cv="prefit")
    for _, member in members:
        member.fit(odds, data.labels)
    expected = oracle.fit(odds, data.labels).predict_proba(odds)
    found = combine_rows(fit_combiner(data, StackingConfig(meta_learner="logistic", l2=1e-9)), data)
    assert loss(found, data.labels) == pytest.approx(loss(expected, data.labels), abs=1e-4)
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-2)


@pytest.mark.parametrize("meta_learner", ["logistic", "ridge"])
def test_a_class_that_never_came_is_unlikely_and_no_error(data: OutOfFold, meta_learner: str) -> None:
    some = data.where(data.labels != 1)
    answer = combine_rows(fit_combiner(some, StackingConfig.model_validate({"meta_learner": meta_learner})), some)
    assert 0.0 < answer[:, 1].mean() < 0.02


def test_blending_looks_at_the_newest_members_alone(data: OutOfFold) -> None:
    blended = fit_combiner(data, BlendingConfig())
    assert blended.to_json() == fit_combiner(data.of_newest(), StackingConfig()).to_json()
    assert blended.to_json() != fit_combiner(data, StackingConfig()).to_json()


def test_what_cannot_be_fitted_is_refused(data: OutOfFold) -> None:
    with pytest.raises(ConfigurationError, match="weights_frac must be 3, one a member"):
        fit_combiner(data, SoftVoteConfig(weights_frac=(0.5, 0.5)))
    alike = replace(data, learnt_bars=(1, 3, 3))
    with pytest.raises(
        ConfigurationError, match=r"must have members that learn different horizons, these .* \(1, 3, 3\)"
    ):
        fit_combiner(alike, MultiHorizonConfig())
    with pytest.raises(DataValidationError, match="rows must hold the column tech_x"):
        fit_combiner(data, StackingConfig(features=("tech_x",)))
    with pytest.raises(ValidationError, match="method"):
        TypeAdapter(EnsembleConfig).validate_python({"method": "oracle"})
