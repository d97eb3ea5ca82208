-- Claims go source by source: past the jobs of a paused one there was a long way to the first of another.
DROP INDEX tintype.job_due;
CREATE INDEX job_due ON tintype.job (source, priority, due_at);
