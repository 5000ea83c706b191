-- Who became champion, who did not, and why: one row a judgement, never changed.

CREATE TABLE model_decisions (
    decision_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model_name       text COLLATE "C" NOT NULL,
    action           text NOT NULL CHECK (action IN ('promote', 'rollback')),
    outcome          text NOT NULL CHECK (outcome IN ('accepted', 'refused', 'forced')),
    version          text NOT NULL,                  -- MAJOR.MINOR.PATCH
    bundle_version   text COLLATE "C" NOT NULL,      -- of the model that was judged, or rolled back to
    champion_version text COLLATE "C",               -- of the bundle that was champion then; NULL where none was
    reason           text NOT NULL,
    figures          jsonb NOT NULL,                 -- every check with what was found
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX model_decisions_name ON model_decisions (model_name, decision_id);
