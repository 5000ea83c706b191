"""How a model learns from outcomes while it trades: section ``online``."""

from pydantic import Field

from outcry.config import FrozenConfig


class OnlineConfig(FrozenConfig):
    """Section ``online``. A sample is a row: one symbol at one frame, with what came of it.

    Attributes
    ----------
    enabled : bool
        ``outcry run`` has a learner beside it.
    buffer_rows : int
        Samples that wait to be learnt from, the newest, by whole frames; more where a purged split needs them.
    update_every_rows : int
        New samples after which the model is updated, if they are of enough frames.
    validation_frac : float
        Of the frames of the buffer, the newest: they judge an update and are not learnt from.
    min_validation_frames : int
        An update waits for so many of these.
    history_rows : int
        Older samples that are kept, to rehearse.
    rehearsal_frac : float
        Of them, how many are learnt again for each new one.
    n_rounds : int
        Rounds of boosting, epochs of a network, iterations of a linear model in an update.
    learning_rate_frac : float
        Of the learning rate that the family was trained with; linear models have none.
    min_score_frac : float
        What the updated model must keep of the old one's score, the mean probability of what came, as a geometric mean:
        exp(-log loss). 0.95 lets the log loss rise by 0.0513 nats, 1 not at all.
    poll_s : float
        How often a learner looks for new frames.
    niceness : int
        Of its process: the floor goes first.
    """

    enabled: bool = False
    buffer_rows: int = Field(default=1_000, gt=0)
    update_every_rows: int = Field(default=100, gt=0)
    validation_frac: float = Field(default=0.2, gt=0, lt=1)
    min_validation_frames: int = Field(default=3, ge=1)
    history_rows: int = Field(default=20_000, ge=0)
    rehearsal_frac: float = Field(default=1.0, ge=0)
    n_rounds: int = Field(default=5, gt=0)
    learning_rate_frac: float = Field(default=0.5, gt=0, le=1)
    min_score_frac: float = Field(default=0.95, gt=0, le=1)
    poll_s: float = Field(default=1.0, gt=0)
    niceness: int = Field(default=10, ge=0, le=19)
