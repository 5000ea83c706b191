-- Splits and dividends, and what a broker books without a trade.

-- What took effect before a bar began. NULL: nothing, in this bar or before it. A symbol without a bar waits for one.
ALTER TABLE ohlcv_bars
    ADD COLUMN split_ratio  double precision,   -- shares for each one held
    ADD COLUMN dividend     double precision,   -- account currency for each share held after the split
    ADD COLUMN split_factor double precision;   -- product of all split ratios so far

ALTER TABLE frames ADD COLUMN has_actions boolean NOT NULL DEFAULT false;

-- Committed with the fills of the frame; it happened before them.
CREATE TABLE ledger_events (
    run_id   text COLLATE "C" NOT NULL REFERENCES runs,
    seq      bigint NOT NULL,
    position integer NOT NULL,
    ts_ns    bigint NOT NULL,
    kind     text NOT NULL CHECK (kind IN ('split', 'dividend', 'borrow_fee', 'interest')),
    symbol   text COLLATE "C" NOT NULL,         -- empty where it concerns the account
    quantity numeric NOT NULL,                  -- change of the signed shares held
    amount   numeric NOT NULL,                  -- change of the cash
    PRIMARY KEY (run_id, seq, kind, symbol)
);

ALTER TABLE equity
    ADD COLUMN dividends numeric NOT NULL DEFAULT 0,   -- total so far: received less paid
    ADD COLUMN carry     numeric NOT NULL DEFAULT 0;   -- total so far: fees and interest paid less interest received
