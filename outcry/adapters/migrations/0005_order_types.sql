-- Orders that trail the market, legs of others, and groups in which one order cancels the rest.
ALTER TABLE order_intents
    ADD COLUMN trail_price    numeric,
    ADD COLUMN trail_frac     numeric,
    ADD COLUMN parent_id      text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN oco_group      text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN is_reduce_only boolean NOT NULL DEFAULT false;
