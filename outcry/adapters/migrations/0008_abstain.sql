-- Why a forecast asked for no new risk: a name of AbstainReason in lower case; empty where it did not abstain.

ALTER TABLE model_predictions ADD COLUMN abstain text NOT NULL DEFAULT '';
