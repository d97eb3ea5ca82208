-- The host's tables: a key of one column, a partitioned table with a key of two, and one that is attached and detached all the time.
CREATE TABLE posts (id bigint PRIMARY KEY, title text, body text, og_image_url text,
    hand boolean NOT NULL DEFAULT false, views integer NOT NULL DEFAULT 0);
CREATE TABLE articles (region text NOT NULL, id bigint NOT NULL, title text, body text, og_image_url text,
    hand boolean NOT NULL DEFAULT false, views integer NOT NULL DEFAULT 0, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE articles_north PARTITION OF articles FOR VALUES IN ('north');
CREATE TABLE articles_south PARTITION OF articles FOR VALUES IN ('south');
CREATE TABLE pages (id bigint PRIMARY KEY, title text, body text, og_image_url text);
INSERT INTO pages (id, title) SELECT n, 'Page ' || n FROM generate_series(1, 20) n;

-- The witness: who made which row say and show what, in order for each row, because it is written under the row's lock.
CREATE SCHEMA torture;
CREATE TABLE torture.log (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    source  text NOT NULL,
    key     text NOT NULL,
    gone    boolean NOT NULL DEFAULT false,
    app     text NOT NULL DEFAULT current_setting('application_name'),
    owner   text,      -- the worker that holds the job at this moment: host and process
    live    boolean,   -- whether its lease has not run out
    content text,
    before  text,
    url     text);
CREATE INDEX ON torture.log (source, key, id);

SELECT tintype.attach('posts');
SELECT tintype.attach('articles');
SELECT tintype.attach('pages');

DO $do$
DECLARE
    src tintype.source;
    part text;
BEGIN
    FOR src IN SELECT * FROM tintype.source s WHERE s.name IN ('posts', 'articles') LOOP
        EXECUTE format($sql$
            CREATE FUNCTION torture.witness_%1$s() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'UPDATE' AND %2$s = %3$s AND %4$s = %5$s AND OLD.og_image_url IS NOT DISTINCT FROM NEW.og_image_url THEN
                    RETURN NULL;
                END IF;
                IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND %2$s <> %3$s) THEN
                    INSERT INTO torture.log (source, key, gone, before) VALUES ('%1$s', %2$s, true, OLD.og_image_url);
                END IF;
                IF TG_OP <> 'DELETE' THEN
                    INSERT INTO torture.log (source, key, content, before, url, owner, live)
                    SELECT '%1$s', %3$s, %5$s, CASE WHEN TG_OP = 'UPDATE' THEN OLD.og_image_url END, NEW.og_image_url, w.name, j.lease_until >= now()
                      FROM (SELECT) one LEFT JOIN tintype.job j ON j.source = %6$s AND j.key = %3$s LEFT JOIN tintype.worker w ON w.id = j.owner;
                END IF;
                RETURN NULL;
            END $$
            $sql$, src.name, tintype.key_sql(src, 'OLD'), tintype.key_sql(src, 'NEW'), tintype.content_sql(src, 'OLD'), tintype.content_sql(src, 'NEW'), src.id);
        EXECUTE format('CREATE TRIGGER zz_witness AFTER INSERT OR UPDATE OR DELETE ON %1$s FOR EACH ROW EXECUTE FUNCTION torture.witness_%1$s()', src.name);
    END LOOP;
    FOREACH part IN ARRAY ARRAY['posts', 'articles', 'articles_north', 'articles_south'] LOOP  -- also where replication writes
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER zz_witness', part);
    END LOOP;
END $do$;
