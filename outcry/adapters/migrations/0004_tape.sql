-- Quotes and trades of a bar. NULL: not known. A row in which all of them are NULL is 8 bytes longer for it.
--
-- A frame says whether its source had any of them: one whose bars know none is not the same as one without a tape.

ALTER TABLE ohlcv_bars
    ADD COLUMN bid        double precision,    -- best prices at the close of the bar
    ADD COLUMN ask        double precision,
    ADD COLUMN bid_size   double precision,    -- shares they are good for
    ADD COLUMN ask_size   double precision,
    ADD COLUMN trades     double precision,    -- number of trades in the bar
    ADD COLUMN buy_volume double precision;    -- shares that buyers took from the ask

ALTER TABLE frames ADD COLUMN has_tape boolean NOT NULL DEFAULT false;
