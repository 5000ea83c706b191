"""Alphas in the place of the forecast: what sizing reads where they are traded."""

from dataclasses import replace

from outcry.alphas.forecast import forecast_score
from outcry.alphas.signal import AlphaSignal, edge_probability
from outcry.market.frame import Frame
from outcry.messages import Forecast


def decide_by_alphas(signal: AlphaSignal, frame: Frame, forecast: Forecast) -> Forecast:
    """Advance a signal by a frame, and return the forecast that sizing reads in the place of the model's.

    Parameters
    ----------
    signal : AlphaSignal
        After the frame before.
    frame : Frame
    forecast : Forecast
        Of the model, for this frame. Where it abstains, the model is an alpha without an opinion.

    Returns
    -------
    Forecast
        Its probabilities differ by the edge of the signal and mean nothing else; nothing is withheld.
    """
    signal.update(frame, forecast_score(forecast.probability, forecast.abstain))
    return replace(
        forecast,
        probability=edge_probability(signal.edge),
        volatility_per_year=signal.volatility_per_year,
        abstain=None,
    )
