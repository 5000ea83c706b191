-- A run, its frames and bars, and what reached it from outside.
--
-- Prices and volumes of bars are DOUBLE PRECISION: what a replay reads is bit for bit what the run saw. Money of the
-- ledger is NUMERIC without limits, which keeps the digits of a Decimal as they were. Text that is compared is
-- COLLATE "C". A foreign key to runs exists where rows are few; bars and predictions do without its cost.

CREATE TABLE runs (
    run_id         text COLLATE "C" PRIMARY KEY,
    status         text NOT NULL CHECK (status IN ('running', 'completed', 'interrupted', 'failed')),
    config         jsonb NOT NULL,
    universe       jsonb NOT NULL,
    calendar       text NOT NULL,
    timeframe      text NOT NULL,
    bar_ns         bigint NOT NULL,
    source         text NOT NULL,
    last_seq       bigint NOT NULL,      -- the last frame the run is to trade
    fingerprint    text NOT NULL,        -- of the market data
    bundle_path    text NOT NULL,
    bundle_version text NOT NULL,
    status_detail  text NOT NULL DEFAULT '',
    created_at     timestamptz NOT NULL DEFAULT now(),
    finished_at    timestamptz
);
CREATE INDEX runs_created_at ON runs (created_at DESC);

CREATE TABLE frames (
    run_id      text COLLATE "C" NOT NULL REFERENCES runs,
    seq         bigint NOT NULL,         -- negative: warm-up
    ts_close_ns bigint NOT NULL,
    n_bars      integer NOT NULL,
    appended_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, seq),
    UNIQUE (run_id, ts_close_ns)
);

-- The time column is part of the key, so the table may be partitioned by it; a run is written in the order of the key.
DO $$
DECLARE
    definition CONSTANT text := $ddl$
        CREATE TABLE ohlcv_bars (
            run_id    text COLLATE "C" NOT NULL,
            ts        timestamptz NOT NULL,      -- the close of the bar
            symbol    text COLLATE "C" NOT NULL,
            timeframe text NOT NULL,
            open      double precision NOT NULL,
            high      double precision NOT NULL,
            low       double precision NOT NULL,
            close     double precision NOT NULL,
            volume    double precision NOT NULL,
            vwap      double precision NOT NULL,
            source    text NOT NULL,
            PRIMARY KEY (run_id, ts, symbol)
        )$ddl$;
BEGIN
    IF current_setting('shared_preload_libraries') LIKE '%timescaledb%' THEN
        CREATE EXTENSION IF NOT EXISTS timescaledb;
        EXECUTE definition;
        PERFORM create_hypertable('ohlcv_bars', 'ts', chunk_time_interval => INTERVAL '1 week');
    ELSE
        EXECUTE definition || ' PARTITION BY RANGE (ts)';
        FOR year IN 1995..2045 LOOP
            EXECUTE format(
                'CREATE TABLE ohlcv_bars_%s PARTITION OF ohlcv_bars FOR VALUES FROM (%L) TO (%L)',
                year, format('%s-01-01 00:00:00+00', year), format('%s-01-01 00:00:00+00', year + 1)
            );
        END LOOP;
        CREATE TABLE ohlcv_bars_other PARTITION OF ohlcv_bars DEFAULT;
    END IF;
END $$;

-- What an operator asked for; seq is the frame at whose boundary it took effect.
CREATE TABLE commands (
    command_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id     text COLLATE "C" NOT NULL REFERENCES runs,
    kind       text NOT NULL,
    payload    jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seq        bigint
);
CREATE INDEX commands_pending ON commands (run_id, command_id) WHERE seq IS NULL;

-- What a replay cannot derive from the frames. Origin 'boundary' was answered with the frame, 'desk' arose within it.
CREATE TABLE inputs (
    run_id   text COLLATE "C" NOT NULL REFERENCES runs,
    seq      bigint NOT NULL,
    origin   text NOT NULL CHECK (origin IN ('boundary', 'desk')),
    position integer NOT NULL,
    kind     text NOT NULL,
    payload  jsonb NOT NULL,
    PRIMARY KEY (run_id, seq, origin, position)
);

CREATE TABLE snapshots (
    run_id     text COLLATE "C" NOT NULL REFERENCES runs,
    actor      text COLLATE "C" NOT NULL,
    seq        bigint NOT NULL,
    payload    bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, actor, seq)
);
ALTER TABLE snapshots ALTER COLUMN payload SET STORAGE EXTERNAL;
