-- What a shadow said of the frames that another model traded. Rows come late, and some not at all.

CREATE TABLE shadow_predictions (
    run_id              text COLLATE "C" NOT NULL,
    seq                 bigint NOT NULL,
    symbol              text COLLATE "C" NOT NULL,
    model_version       text COLLATE "C" NOT NULL,
    probability_up      double precision NOT NULL,
    probability_neutral double precision NOT NULL,
    probability_down    double precision NOT NULL,
    PRIMARY KEY (run_id, seq, symbol, model_version)
);
