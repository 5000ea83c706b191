"""Learning while trading: what is gained, what is refused, and that nothing is known before it happened."""

from dataclasses import replace

import numpy as np
import pytest

from bench.random_bundle import UNCHANGED, random_facts
from outcry.errors import ConfigurationError
from outcry.labels.direction import UNDEFINED
from outcry.models.bundle import GoldenInputs, ModelBundle, load_bundle, load_members, write_bundle
from outcry.models.combiners import build_combiner
from outcry.models.combiners.soft_vote import SoftVoteSpec
from outcry.models.evaluation import score
from tests.unit.training.online.drifting_market import (
    CONFIG,
    FEATURES,
    LABEL,
    N_BEFORE,
    N_TRADED,
    TURNS_AT,
    Market,
    follow,
    learner_of,
    make_market,
)
from training.online.learner import DecidedUpdate
from training.online.update import OnlineUpdate


@pytest.fixture(scope="session")
def updates(market: Market, first_model: ModelBundle, tmp_path_factory) -> list[OnlineUpdate]:
    return follow(learner_of(first_model, tmp_path_factory.mktemp("bundles")), market)


def log_loss(market: Market, model: ModelBundle, updates: list[OnlineUpdate], frames: range) -> float:
    """Return the loss over some frames of the model that was in service at each."""
    said, came = [], []
    labels = market.labels()
    for seq in frames:
        for update in updates:
            if update.seq < seq and update.verdict.is_adopted:
                model = update.bundle
        row = N_BEFORE + seq
        is_known = (labels[row] != UNDEFINED) & ~np.isnan(market.values[row]).all(axis=1)
        said.append(model.predict_proba(market.values[row])[is_known])
        came.append(labels[row][is_known])
    return score(np.concatenate(said), np.concatenate(came)).log_loss


def test_what_learns_beats_what_does_not_when_the_market_turns(
    market: Market, first_model: ModelBundle, updates: list[OnlineUpdate]
) -> None:
    later = range(TURNS_AT + 20, N_TRADED - LABEL.horizon_bars)
    frozen, online = (log_loss(market, first_model, made, later) for made in ([], updates))
    assert online < frozen - 0.3
    before = range(TURNS_AT)
    frozen, online = (log_loss(market, first_model, made, before) for made in ([], updates))
    assert online < frozen + 0.02  # and loses nothing while it does not turn


def test_an_update_says_what_it_saw(updates: list[OnlineUpdate], first_model: ModelBundle) -> None:
    assert len(updates) > 4
    parent = first_model
    for update in updates:
        manifest, verdict = update.bundle.manifest, update.verdict
        assert update.parent_version == parent.version
        assert manifest.last_ts_ns == 60 * 10**9 * (1_000 + update.seq)
        assert manifest.folds == (*parent.manifest.folds, parent.manifest.test)
        assert manifest.test.log_loss == verdict.new_log_loss
        assert manifest.test.n == verdict.n_held_out
        assert verdict.n_rehearsed <= verdict.n_learnt - verdict.n_rehearsed  # one for each at most
        assert verdict.families == ("xgboost", "logistic")
        gap = (manifest.test.first_ts_ns - manifest.test.train_last_ts_ns) // (60 * 10**9)
        assert gap > LABEL.horizon_bars
        assert update.bundle.path.is_dir()
        parent = update.bundle if verdict.is_adopted else parent


def test_no_label_is_used_before_it_is_known(
    market: Market, first_model: ModelBundle, updates: list[OnlineUpdate], tmp_path
) -> None:
    """Whatever comes after a frame, the updates up to it have the same bits; those after have not."""
    at = updates[1].seq
    rng = np.random.default_rng(0)
    closes, values = market.closes.copy(), market.values.copy()
    closes[N_BEFORE + at + 1 :] *= rng.uniform(0.9, 1.1, size=closes[N_BEFORE + at + 1 :].shape)
    values[N_BEFORE + at + 1 :] += 1.0
    others = follow(learner_of(first_model, tmp_path), Market(closes, values), stop=updates[3].seq + 1)
    assert [each.bundle.version for each in others[:2]] == [each.bundle.version for each in updates[:2]]
    assert others[2].bundle.version != updates[2].bundle.version


def test_the_same_frames_give_the_same_versions(
    market: Market, first_model: ModelBundle, updates: list[OnlineUpdate], tmp_path
) -> None:
    again = follow(learner_of(first_model, tmp_path), market, stop=updates[2].seq + 1)
    for one, other in zip(updates, again, strict=False):
        assert one.bundle.version == other.bundle.version
        for file in one.bundle.path.iterdir():
            assert (other.bundle.path / file.name).read_bytes() == file.read_bytes()


def test_a_learner_that_was_killed_goes_on_from_what_was_decided(
    market: Market, first_model: ModelBundle, updates: list[OnlineUpdate]
) -> None:
    decided = {update.seq: DecidedUpdate(update.bundle.version, update.verdict.is_adopted) for update in updates[:-2]}
    made = follow(learner_of(first_model, updates[0].bundle.path.parent, decided=decided), market)
    assert [each.bundle.version for each in made] == [each.bundle.version for each in updates[-2:]]


def test_an_update_on_poisoned_labels_is_rolled_back(market: Market, first_model: ModelBundle, tmp_path) -> None:
    """For a while what comes is shuffled among the symbols, then it is true again: what judges is the newest."""
    clean = make_market()
    config = CONFIG.model_copy(update={"update_every_rows": 300, "rehearsal_frac": 0.0, "n_rounds": 40})
    returns = np.diff(clean.closes, axis=0, prepend=clean.closes[:1]) / clean.closes
    rng = np.random.default_rng(1)
    for row in range(N_BEFORE - 2, N_BEFORE + 22):
        returns[row] = rng.permutation(-3.0 * returns[row])
    poisoned = replace(clean, closes=100.0 * np.cumprod(1.0 + returns, axis=0))
    learner = learner_of(first_model, tmp_path, config)
    made = follow(learner, poisoned, stop=40)
    assert [each.verdict.is_adopted for each in made[:1]] == [False]
    assert made[0].verdict.kept_frac < 0.95
    assert "rolled back: keeps 0." in made[0].verdict.reason
    assert learner.model is first_model
    assert learner.n_new_rows < 300  # the buffer was emptied all the same
    assert load_bundle(made[0].bundle.path).version == made[0].bundle.version  # and what was made is kept


def test_frames_that_are_left_out_are_refused(market: Market, first_model: ModelBundle, tmp_path) -> None:
    learner = learner_of(first_model, tmp_path)
    learner.take(0, 1, market.closes[N_BEFORE], market.values[N_BEFORE])
    with pytest.raises(Exception, match="seq must be 1, was 2"):
        learner.take(2, 3, market.closes[N_BEFORE + 2], market.values[N_BEFORE + 2])


def test_a_model_with_a_member_of_another_horizon_does_not_learn(first_model: ModelBundle, tmp_path) -> None:
    members = {"xgboost@20": load_members(first_model)["xgboost"]}
    path = write_bundle(
        tmp_path,
        facts=random_facts(FEATURES, "hash").model_copy(update={"label": LABEL, "last_ts_ns": 0}),
        members=members,
        combiner=build_combiner(SoftVoteSpec(weights_frac=(1.0,))),
        calibration=UNCHANGED,
        golden=GoldenInputs(np.zeros((1, len(FEATURES)))),
    )
    told = "all members must forecast the horizon of the ensemble, xgboost@20 has its own"
    with pytest.raises(ConfigurationError, match=told):
        learner_of(load_bundle(path), tmp_path)
    with pytest.raises(ConfigurationError, match=told):
        learner_of(first_model, tmp_path).rebase(load_bundle(path))
