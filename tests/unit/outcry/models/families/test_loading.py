"""A process that only predicts loads none of the libraries that fit."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from outcry.models.dataset import Dataset
from outcry.models.families import find_family
from outcry.models.family import FitSettings

FAMILIES = ("catboost", "elastic_net", "extra_trees", "logistic", "random_forest", "ridge")


def test_a_stored_model_is_read_and_asked_without_the_library_that_fitted_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 3))
    data = Dataset(rows, np.digitize(rows[:, 0], [-0.5, 0.5]).astype(np.int8), np.arange(200), ("a", "b", "c"))
    few = {"catboost": {"max_rounds": 3}, "random_forest": {"n_trees": 3}, "extra_trees": {"n_trees": 3}}
    for name in FAMILIES:
        family = find_family(name)
        model = family.fit(data, data, data, family.params(**few.get(name, {})), FitSettings(seed=1))
        for file, content in model.save().items():
            (tmp_path / file).write_bytes(content)
        np.save(tmp_path / f"{name}.npy", model.predict_proba(rows))  # type: ignore[union-attr]
    np.save(tmp_path / "rows.npy", rows)
    program = (
        "import sys; from pathlib import Path; import numpy as np; import configs.families;"
        "from outcry.models.families import find_family;"
        "folder = Path(sys.argv[1]); rows = np.load(folder / 'rows.npy');\n"
        "for name in sys.argv[2:]:\n"
        "    files = {path.name: path.read_bytes() for path in folder.glob(name + '.*') if path.suffix != '.npy'}\n"
        "    found = find_family(name).load(files, 3).predict_proba(rows)\n"
        "    assert found.tobytes() == np.load(folder / (name + '.npy')).tobytes(), name\n"
        "assert not {'catboost', 'sklearn', 'xgboost', 'lightgbm'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path), *FAMILIES], check=True)
