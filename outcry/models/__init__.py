"""Trained models: the ensemble, its calibration, and the bundle they are kept in.

Holds: the trees of each library and their compiled prediction (``kernels``), the soft vote, calibration, confidence,
evaluation, the bundle format.
Must not import: portfolio and later stages, adapters, Ray, scikit-learn, the booster libraries. Training lives in
``training``.
Start reading at: `outcry.models.bundle`.

`Calibration`, `ModelBundle`, `confidence`, `load_bundle`, `write_bundle`
"""

from outcry.models.bundle import ModelBundle, load_bundle, write_bundle
from outcry.models.calibration import Calibration
from outcry.models.confidence import confidence

__all__ = ["Calibration", "ModelBundle", "confidence", "load_bundle", "write_bundle"]
