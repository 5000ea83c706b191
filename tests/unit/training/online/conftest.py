"""The market of `drifting_market`, and a model of the time before it turns."""

import numpy as np
import pytest

from bench.random_bundle import UNCHANGED, random_facts
from outcry.labels.direction import UNDEFINED
from outcry.models.bundle import GoldenInputs, ModelBundle, load_bundle, write_bundle
from outcry.models.combiners import build_combiner
from outcry.models.combiners.soft_vote import SoftVoteSpec
from outcry.models.dataset import Dataset
from outcry.models.families import find_family
from outcry.models.family import FitSettings
from tests.unit.training.online.drifting_market import FEATURES, LABEL, N_BEFORE, TRAINING, Market, make_market


@pytest.fixture(scope="session")
def market() -> Market:
    return make_market()


@pytest.fixture(scope="session")
def first_model(market: Market, tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    """Trained on the frames before the first traded one."""
    labels = market.labels()[:N_BEFORE]
    labels[-LABEL.horizon_bars :] = UNDEFINED
    frame, symbol = np.nonzero(labels != UNDEFINED)
    data = Dataset(market.values[frame, symbol], labels[frame, symbol], frame, FEATURES, symbol=symbol)
    parts = data.of_frames(np.arange(150)), data.of_frames(np.arange(155, N_BEFORE)), data
    members = {
        name: find_family(name).fit(*parts, getattr(TRAINING, name), FitSettings(seed=1)) for name in TRAINING.members
    }
    facts = random_facts(FEATURES, "hash").model_copy(update={"label": LABEL, "last_ts_ns": 0})
    folder = tmp_path_factory.mktemp("first")
    golden = GoldenInputs(data.rows[:16])
    combiner = build_combiner(SoftVoteSpec(weights_frac=(1.0 / len(members),) * len(members)))
    path = write_bundle(folder, facts=facts, members=members, combiner=combiner, calibration=UNCHANGED, golden=golden)
    return load_bundle(path)
