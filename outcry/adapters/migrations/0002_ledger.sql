-- Orders and fills: committed before anybody relies on them, so the first commit of a frame stands.
--
-- Rows that one statement writes together need no foreign key between them. An index beside a primary key does not
-- begin with run_id where a foreign key points at the table: its checks are planned while the table is empty, and
-- would keep to an index on which they read every order of the run.

-- One row a frame that decided something: the orders, cancels and inputs of the frame were committed with it.
CREATE TABLE decisions (
    run_id       text COLLATE "C" NOT NULL REFERENCES runs,
    seq          bigint NOT NULL,
    cancels      text[] NOT NULL,
    committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, seq)
);

-- What was decided, never changed afterwards.
CREATE TABLE order_intents (
    run_id          text COLLATE "C" NOT NULL,
    client_order_id text COLLATE "C" NOT NULL,
    seq             bigint NOT NULL,
    position        integer NOT NULL,      -- within the frame
    symbol          text COLLATE "C" NOT NULL,
    side            text NOT NULL CHECK (side IN ('buy', 'sell')),
    quantity        numeric NOT NULL CHECK (quantity > 0),
    order_type      text NOT NULL,
    time_in_force   text NOT NULL,
    limit_price     numeric,
    stop_price      numeric,
    purpose         text NOT NULL,
    PRIMARY KEY (run_id, client_order_id)
);
CREATE UNIQUE INDEX order_intents_seq ON order_intents (seq, run_id, position);

-- Where each order stands.
CREATE TABLE orders (
    run_id          text COLLATE "C" NOT NULL,
    client_order_id text COLLATE "C" NOT NULL,
    status          text NOT NULL,
    filled_quantity numeric NOT NULL,
    reason          text NOT NULL,
    updated_seq     bigint NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, client_order_id)
);
CREATE INDEX orders_open ON orders (run_id) WHERE status IN ('created', 'submitted', 'accepted', 'partially_filled');

-- Every step of every order; phase 'advance' came from the market, 'submit' answered a submission.
CREATE TABLE order_updates (
    run_id          text COLLATE "C" NOT NULL,
    seq             bigint NOT NULL,
    phase           text NOT NULL CHECK (phase IN ('advance', 'submit')),
    client_order_id text COLLATE "C" NOT NULL,
    status          text NOT NULL,
    filled_quantity numeric NOT NULL,
    reason          text NOT NULL,
    updated_seq     bigint NOT NULL,       -- the frame of the change; earlier than seq where a resend was answered
    position        integer NOT NULL,
    PRIMARY KEY (run_id, seq, phase, client_order_id, status, filled_quantity),
    FOREIGN KEY (run_id, client_order_id) REFERENCES order_intents
);

CREATE TABLE fills (
    run_id          text COLLATE "C" NOT NULL,
    fill_id         text COLLATE "C" NOT NULL,
    client_order_id text COLLATE "C" NOT NULL,
    seq             bigint NOT NULL,
    position        integer NOT NULL,
    ts_ns           bigint NOT NULL,
    executed_at     timestamptz NOT NULL,
    symbol          text COLLATE "C" NOT NULL,
    side            text NOT NULL CHECK (side IN ('buy', 'sell')),
    quantity        numeric NOT NULL CHECK (quantity > 0),
    price           numeric NOT NULL,
    commission      numeric NOT NULL,
    slippage        numeric NOT NULL,
    PRIMARY KEY (run_id, fill_id),
    FOREIGN KEY (run_id, client_order_id) REFERENCES order_intents
);
CREATE INDEX fills_seq ON fills (run_id, seq, position);
CREATE INDEX fills_symbol_executed_at ON fills (symbol, executed_at DESC);
