"""The section ``features``: which set of columns is computed."""

from pydantic import Field

from outcry.features.config import FeatureSetConfig


class FeaturesConfig(FeatureSetConfig):
    """A feature set, on top of one that ships in ``configs/feature_sets`` or stands in a file.

    Attributes
    ----------
    set : str
        Name of a shipped set (``full``, ``small``), or the path of a YAML file with the keys of this section; what
        stands beside it wins.
    n_threads : int
        Of the computation of a whole history.
    """

    set: str = "full"
    n_threads: int = Field(default=2, ge=1)
