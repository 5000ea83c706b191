-- An update of a model by what came of its decisions is judged and recorded as a promotion is.

ALTER TABLE model_decisions DROP CONSTRAINT model_decisions_action_check;
ALTER TABLE model_decisions ADD CONSTRAINT model_decisions_action_check
    CHECK (action IN ('promote', 'rollback', 'update'));
CREATE INDEX model_decisions_run ON model_decisions ((figures ->> 'run_id'), decision_id) WHERE action = 'update';
