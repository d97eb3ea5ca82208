-- Backfill: the old rows of a table are walked in key order and marked, behind whatever is edited meanwhile. In one transaction with
-- backfill(), or a step at a time with backfill_step(), which is what the command line does, and CALL tintype.backfill_in_steps(): each step
-- is a short transaction that also notes how far it came, so that a walk that was killed goes on where it stood.
--
-- Which rows: those without a picture; with `rerender` all, drawn again whatever they hold; with `stale` all, but the
-- worker draws only those whose content, look or template is another than the ledger says, or that it does not know: nobody else has its looks.

-- Marks in one transaction; returns how many. For a table of some hundred thousand rows: a longer transaction keeps the host's dead rows from
-- being cleared away, and backfill_in_steps does the same in short ones. At most `max_rows`; `dry_run` counts and marks nothing.
CREATE OR REPLACE FUNCTION tintype.backfill(
    relation regclass, rerender boolean DEFAULT false, condition text DEFAULT NULL, stale boolean DEFAULT false,
    max_rows bigint DEFAULT NULL, dry_run boolean DEFAULT false)
RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    src   tintype.source := tintype.attached(relation);
    total bigint := 0;
    step  record;
    after text;
BEGIN
    LOOP
        SELECT * INTO step FROM tintype.scan(src, CASE WHEN rerender THEN 'all' WHEN stale THEN 'stale' ELSE 'missing' END, after, 1000, condition, NULL, dry_run, max_rows - total);
        total := total + step.marked;
        after := step.last_key;
        EXIT WHEN after IS NULL OR total >= max_rows;
    END LOOP;
    IF condition IS NULL AND after IS NULL AND NOT dry_run THEN
        UPDATE tintype.source s SET whole = true WHERE s.id = src.id;
    END IF;
    RETURN total;
END $$;

-- One step of the walk of one table: looks at up to `chunk` rows and marks at most `max_rows` of them. It goes on where the last step
-- stood as long as the same is asked for; `anew` begins at the beginning. An edit's mark stands behind ours until it is folded, so where a
-- worker is at work no more than two thousand are ahead of one: a step waits for that, and after a second has looked at nothing. A rate
-- is a pause between steps: in psql, \watch.
CREATE OR REPLACE FUNCTION tintype.backfill_step(
    relation regclass, rerender boolean DEFAULT false, condition text DEFAULT NULL, stale boolean DEFAULT false, max_rows bigint DEFAULT NULL,
    chunk integer DEFAULT 1000, anew boolean DEFAULT false, OUT scanned bigint, OUT marked bigint, OUT ended boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    src  tintype.source := tintype.attached(relation);
    mode text := CASE WHEN rerender THEN 'all' WHEN stale THEN 'stale' ELSE 'missing' END;
    run  tintype.backfill_run;
    last text;
    late timestamptz := clock_timestamp() + interval '1 second';
BEGIN
    SELECT r.* INTO run FROM tintype.backfill_run r WHERE r.source = src.id FOR UPDATE;
    IF anew OR run.source IS NULL OR (run.mode, run.condition) IS DISTINCT FROM (mode, condition) THEN
        INSERT INTO tintype.backfill_run AS r (source, mode, condition) VALUES (src.id, mode, condition)
        ON CONFLICT (source) DO UPDATE SET mode = excluded.mode, condition = excluded.condition, reached = NULL, scanned = 0, marked = 0, began_at = now();
        run.reached := NULL;
    END IF;
    WHILE (SELECT count(*) FROM (SELECT FROM tintype.change LIMIT 2000) c) = 2000
          AND EXISTS (SELECT FROM tintype.worker w WHERE w.seen_at > now() - interval '1 minute') LOOP
        IF clock_timestamp() > late THEN
            scanned := 0;
            marked := 0;
            ended := false;
            RETURN;
        END IF;
        PERFORM pg_sleep(0.005);
    END LOOP;
    SELECT t.scanned, t.marked, t.last_key INTO scanned, marked, last FROM tintype.scan(src, mode, run.reached, chunk, condition, NULL, false, max_rows) t;
    ended := last IS NULL;
    IF ended THEN
        DELETE FROM tintype.backfill_run r WHERE r.source = src.id;
        IF condition IS NULL THEN
            UPDATE tintype.source s SET whole = true WHERE s.id = src.id;
        END IF;
    ELSE
        PERFORM set_config('synchronous_commit', 'off', true);  -- marks and position go or stay together
        UPDATE tintype.backfill_run r SET reached = last, scanned = r.scanned + backfill_step.scanned, marked = r.marked + backfill_step.marked, stepped_at = now()
         WHERE r.source = src.id;
    END IF;
END $$;

-- The whole walk, a transaction a step: CALL tintype.backfill_in_steps('posts'), outside of a transaction. What was done stays done when it
-- is stopped, and `resume` goes on from there with what was asked for then. `marked` comes back. A procedure that commits can pin no
-- search_path; so everything is qualified, operators too.
CREATE OR REPLACE PROCEDURE tintype.backfill_in_steps(
    relation regclass, rerender boolean DEFAULT false, condition text DEFAULT NULL, stale boolean DEFAULT false, max_rows bigint DEFAULT NULL,
    resume boolean DEFAULT false, INOUT marked bigint DEFAULT 0)
LANGUAGE plpgsql AS $$
DECLARE
    run   tintype.backfill_run;
    anew  boolean := NOT resume;
    done  bigint;
    ended boolean;
BEGIN
    marked := 0;
    IF resume THEN
        SELECT r.* INTO run FROM tintype.backfill_run r WHERE r.source OPERATOR(pg_catalog.=) (tintype.attached(relation)).id;
        IF run.source IS NULL THEN
            RAISE EXCEPTION 'there is no backfill of % that stopped on its way', relation
                USING ERRCODE = 'object_not_in_prerequisite_state', HINT = pg_catalog.format('CALL tintype.backfill_in_steps(%L);', relation);
        END IF;
        rerender := run.mode OPERATOR(pg_catalog.=) 'all';
        stale := run.mode OPERATOR(pg_catalog.=) 'stale';
        condition := run.condition;
    END IF;
    LOOP
        SELECT s.marked, s.ended INTO done, ended
          FROM tintype.backfill_step(relation, rerender, condition, stale, max_rows OPERATOR(pg_catalog.-) marked, 1000, anew) s;
        COMMIT;
        anew := false;
        marked := marked OPERATOR(pg_catalog.+) done;
        EXIT WHEN ended OR marked OPERATOR(pg_catalog.>=) max_rows;
    END LOOP;
END $$;

-- How many pictures a minute come of work like a table's (cards, or pages), by what those at work have measured of themselves: the time that
-- a picture takes, and how many they make at once. Who has drawn none yet counts as the others do; where nobody is at work, it is
-- what the last one could. NULL where nobody has ever drawn one.
CREATE OR REPLACE FUNCTION tintype.pace(relation regclass)
RETURNS bigint LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH kind AS (
        SELECT tintype.by_browser(s.draw) AS page FROM tintype.source s WHERE s.relation = pace.relation
    ), live AS (
        SELECT CASE WHEN k.page THEN w.page_pace ELSE w.card_pace END AS pace FROM tintype.worker w, kind k WHERE w.seen_at > now() - interval '1 minute'
    ), known AS (
        SELECT coalesce((SELECT avg(l.pace) FROM live l), CASE WHEN k.page THEN i.page_pace ELSE i.card_pace END) AS pace FROM tintype.instance i, kind k
    )
    SELECT ceil(coalesce((SELECT sum(coalesce(l.pace, k.pace)) FROM live l), k.pace))::bigint FROM known k
$$;
