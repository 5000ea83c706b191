"""How far a forecast can be trusted, row by row, and when it asks for no new risk.

Holds: the spread of members or samples, prediction sets and intervals with a stated coverage, their adaptation to
outcomes, the watch over their coverage, and the rule to abstain.
Must not import: what `outcry.models` must not; fitting lives in ``training``.
Start reading at: `outcry.models.uncertainty.abstain`, then `outcry.models.uncertainty.prediction_sets`.
"""
