-- Sweeps of settings and parameters, and every trial of them: how many were tried is part of what the best is worth.

CREATE TABLE sweeps (
    sweep_id      text COLLATE "C" PRIMARY KEY,  -- a hash of market, settings, grid and strategy
    strategy_name text COLLATE "C" NOT NULL,
    market        text COLLATE "C" NOT NULL,     -- fingerprint of the market data
    source        text NOT NULL,
    symbols       jsonb NOT NULL,
    start_date    timestamptz NOT NULL,
    end_date      timestamptz NOT NULL,
    grid          jsonb NOT NULL,
    configuration jsonb NOT NULL,
    n_points      integer NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sweeps_strategy ON sweeps (strategy_name, market);

-- Ratios are NUMERIC without limits, as money is; metrics and returns keep the bits of each double.
CREATE TABLE sweep_trials (
    sweep_id        text COLLATE "C" NOT NULL REFERENCES sweeps,
    trial_key       text COLLATE "C" NOT NULL,   -- a hash of all that decides the result: the same trial, the same key
    strategy_name   text COLLATE "C" NOT NULL,
    start_date      timestamptz NOT NULL,
    end_date        timestamptz NOT NULL,
    point           jsonb NOT NULL,              -- the values of the grid
    configuration   jsonb NOT NULL,              -- sections and parameters in full
    error           text NOT NULL DEFAULT '',    -- why it failed
    initial_capital numeric,
    final_capital   numeric,
    total_return    numeric,
    sharpe_ratio    numeric,
    max_drawdown    numeric,
    win_rate        numeric,
    total_trades    integer,
    metrics         jsonb,                       -- NULL where it failed
    session_returns double precision[],
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (sweep_id, trial_key)
);
CREATE INDEX sweep_trials_strategy ON sweep_trials (strategy_name, created_at DESC);
