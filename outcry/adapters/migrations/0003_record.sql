-- What happened in a frame. The row in equity is the record: a frame that has one is complete and never traded again.

CREATE TABLE equity (
    run_id         text COLLATE "C" NOT NULL REFERENCES runs,
    seq            bigint NOT NULL,
    ts_close_ns    bigint NOT NULL,
    cash           numeric NOT NULL,
    equity         numeric NOT NULL,
    realized_pnl   numeric NOT NULL,
    commission     numeric NOT NULL,     -- total so far, positive
    slippage       numeric NOT NULL,     -- total so far, positive
    gross_exposure double precision NOT NULL,
    net_exposure   double precision NOT NULL,
    drawdown_frac  double precision NOT NULL,
    is_halted      boolean NOT NULL,
    model_version  text NOT NULL,
    risk_state     jsonb NOT NULL,       -- what the risk gate needs to resume after this frame
    recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, seq)
);

CREATE TABLE positions (
    run_id          text COLLATE "C" NOT NULL REFERENCES runs,
    symbol          text COLLATE "C" NOT NULL,
    quantity        numeric NOT NULL,    -- signed shares
    avg_entry_price numeric NOT NULL,
    updated_seq     bigint NOT NULL,
    updated_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, symbol)
);

CREATE TABLE position_history (
    run_id          text COLLATE "C" NOT NULL REFERENCES runs,
    seq             bigint NOT NULL,
    symbol          text COLLATE "C" NOT NULL,
    quantity        numeric NOT NULL,
    avg_entry_price numeric NOT NULL,
    PRIMARY KEY (run_id, seq, symbol)
);

CREATE TABLE model_predictions (
    run_id              text COLLATE "C" NOT NULL,
    seq                 bigint NOT NULL,
    symbol              text COLLATE "C" NOT NULL,
    model_version       text NOT NULL,
    probability_up      double precision NOT NULL,
    probability_neutral double precision NOT NULL,
    probability_down    double precision NOT NULL,
    confidence          double precision NOT NULL,
    PRIMARY KEY (run_id, seq, symbol)
);

CREATE TABLE risk_events (
    run_id     text COLLATE "C" NOT NULL REFERENCES runs,
    seq        bigint NOT NULL,
    position   integer NOT NULL,         -- within the frame
    limit_name text NOT NULL,
    symbol     text COLLATE "C" NOT NULL,
    value      double precision NOT NULL,
    threshold  double precision NOT NULL,
    action     text NOT NULL,
    PRIMARY KEY (run_id, seq, position)
);
