"""Trained models: the ensemble, its calibration, and the bundle they are kept in.

Holds: the families (``families``), the rows they learn from, what a library stored and its compiled prediction
(``kernels``), the soft vote, the combiners (``combiners``), calibration, uncertainty, confidence, evaluation, the
bundle format.
Must not import: portfolio and later stages, adapters, Ray; and, but for what a fit of a family imports itself,
scikit-learn, the booster libraries, torch. What trains on a market lives in ``training``.
Start reading at: `outcry.models.bundle`.

`Calibration`, `ModelBundle`, `confidence`, `load_bundle`, `write_bundle`
"""

from outcry.models.bundle import ModelBundle, load_bundle, write_bundle
from outcry.models.calibration import Calibration
from outcry.models.confidence import confidence

__all__ = ["Calibration", "ModelBundle", "confidence", "load_bundle", "write_bundle"]
