"""Every error a caller of outcry can meet.

    OutcryError
    ├── ConfigurationError        a key, a value or a combination of settings is wrong
    ├── DataError                 market data cannot be used
    │   ├── DataNotFoundError     a file, a symbol or a span is not there
    │   └── DataValidationError   the data contradicts itself or its schema
    ├── ModelError                a model cannot be used
    │   ├── BundleError           a bundle is corrupt or does not match the features
    │   └── PredictionError       a forecast could not be made
    ├── StrategyError             a strategy of the user gave something that cannot be traded
    ├── ExecutionError            an order cannot take the step asked for
    │   └── IllegalTransitionError
    ├── RecoveryError             an actor cannot resume from what the journal holds
    └── ServiceError              PostgreSQL, Redis, Ray or Serve is not reachable
        ├── ClusterError          the job API of a Ray cluster does not answer
        └── PortInUseError

A message names the value and the rule: ``half_life_bars must be positive, was -3.0``. Every class takes one message,
so an error survives pickling across processes.
"""


class OutcryError(Exception):
    """Base of every error that outcry raises on purpose."""


class ConfigurationError(OutcryError):
    """A key, a value or a combination of settings is wrong."""


class DataError(OutcryError):
    """Market data cannot be used."""


class DataNotFoundError(DataError):
    """A file, a symbol or a span is not there."""


class DataValidationError(DataError):
    """Market data contradicts itself or its schema."""


class ModelError(OutcryError):
    """A model cannot be used."""


class BundleError(ModelError):
    """A bundle is corrupt, or its features are not the ones the engine computes."""


class PredictionError(ModelError):
    """A forecast could not be made."""


class StrategyError(OutcryError):
    """A strategy of the user cannot be loaded, raised, or gave something that cannot be traded."""


class ExecutionError(OutcryError):
    """An order cannot take the step asked for."""


class IllegalTransitionError(ExecutionError):
    """An order was asked to leave a state by a step that does not exist."""


class RecoveryError(OutcryError):
    """An actor cannot resume from what the journal holds."""


class ServiceError(OutcryError):
    """PostgreSQL, Redis, Ray or Serve is not reachable."""


class ClusterError(ServiceError):
    """The job API of a Ray cluster does not answer, or refuses whoever asks."""


class PortInUseError(ServiceError):
    """Another process listens on a port that outcry was told to use."""
