-- Commands that wait for a place on a Ray cluster, or ran there: one row a job, whatever number of tries it took.

CREATE TABLE jobs (
    job_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id    uuid NOT NULL UNIQUE,            -- of who submitted it: sent twice, it is one job
    arguments     text[] NOT NULL CHECK (cardinality(arguments) > 0),  -- of outcry
    working_dir   text NOT NULL,                   -- sent to the cluster at every start
    priority      integer NOT NULL CHECK (priority >= 1),
    max_retries   integer NOT NULL CHECK (max_retries >= 0),
    timeout_s     double precision NOT NULL CHECK (timeout_s > 0),
    num_cpus      double precision NOT NULL CHECK (num_cpus >= 0),
    num_gpus      double precision NOT NULL CHECK (num_gpus >= 0),
    memory_bytes  bigint NOT NULL CHECK (memory_bytes >= 0),
    state         text NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'timed_out')),
    n_tries       integer NOT NULL DEFAULT 0,      -- how often Ray was asked to start it
    n_failures    integer NOT NULL DEFAULT 0,      -- of those, tries that ran and failed
    submission_id text COLLATE "C",                -- of the last try, with Ray
    stop_as       text CHECK (stop_as IN ('cancelled', 'timed_out')),  -- it is to be stopped, and why
    detail        text NOT NULL DEFAULT '',
    not_before    timestamptz,                     -- it failed, and waits
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at    timestamptz,                     -- of the last try; NULL while Ray looks for a place
    ended_at      timestamptz,
    CHECK ((state IN ('queued', 'running')) = (ended_at IS NULL)),
    CHECK (state <> 'running' OR submission_id IS NOT NULL)
);
CREATE INDEX jobs_queue ON jobs (priority, job_id) WHERE state = 'queued';
CREATE INDEX jobs_running ON jobs (job_id) WHERE state = 'running';
CREATE INDEX jobs_ended ON jobs (ended_at) WHERE ended_at IS NOT NULL;
