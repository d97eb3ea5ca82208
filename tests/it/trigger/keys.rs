//! One row has one key, whatever the host session's output settings are.

use super::marked;
use crate::support::schema::{installed, run, text, texts};

/// Types whose text depends on a setting, each with a value.
const VALUES: &[(&str, &str)] = &[
    ("timestamptz", "2026-05-01 12:34:56.789+02"),
    ("timestamptz", "infinity"),
    ("timestamptz", "0044-03-15 12:00+00 BC"),
    ("timestamp", "2026-02-03 04:05:06"),
    ("date", "2026-02-03"),
    ("date", "0044-03-15 BC"),
    ("timetz", "12:34:56+02"),
    ("interval", "1 year 2 mons -3 days 04:05:06.7"),
    ("bytea", "\\x00ff5c41"),
    ("float8", "0.1234567890123456"),
    ("float4", "0.12345679"),
    ("tstzrange", "[2026-05-01 12:00+02,2026-05-02 12:00+02)"),
    ("date[]", "{2026-02-03,2026-03-02}"),
    ("moment", "2026-05-01 12:34:56+02"),
];

/// Settings of sessions that hosts have, and some that nobody has.
const SESSIONS: &[&str] = &[
    "SET DateStyle = 'German, DMY'; SET TimeZone = 'Asia/Kathmandu'; SET IntervalStyle = 'iso_8601'; SET bytea_output = 'escape'; SET extra_float_digits = -15",
    "SET DateStyle = 'SQL, MDY'; SET TimeZone = 'America/St_Johns'; SET IntervalStyle = 'sql_standard'; SET extra_float_digits = 0",
    "SET DateStyle = 'Postgres, YMD'; SET TimeZone = 'UTC'; SET IntervalStyle = 'postgres_verbose'; SET extra_float_digits = 3",
];

#[tokio::test]
async fn one_row_one_key() {
    let (_test, client) = installed().await;
    run(&client, "a domain", "CREATE DOMAIN moment AS timestamptz").await;
    for (kind, value) in VALUES {
        let what = format!("{kind} {value}");
        for (shape, key) in [("alone", "k"), ("with another", "k, n")] {
            let what = format!("{what}, {shape}");
            let table = format!(
                "CREATE TABLE t (k {kind}, n int DEFAULT 1, body text, PRIMARY KEY ({key})); SELECT tintype.attach('t');
                 INSERT INTO t VALUES ('{value}', 1, 'x')"
            );
            run(&client, &what, &table).await;
            for session in SESSIONS {
                run(&client, &what, session).await;
                run(&client, &what, "UPDATE t SET body = body || 'x'").await;
                run(&client, &what, "SELECT tintype.backfill('t', rerender => true)").await;
            }
            let mut keys = marked(&client).await;
            assert_eq!(keys.len(), 1 + 2 * SESSIONS.len(), "{what}: {keys:?}");
            keys.dedup();
            assert_eq!(keys.len(), 1, "{what}: {keys:?}");
            let found = format!("SELECT count(*) FROM tintype.source s, tintype.read_row(s, '{}') r", keys[0]);
            assert_eq!(text(&client, &found).await, "1", "{what}: {} finds its row", keys[0]);
            run(&client, &what, "RESET ALL; SELECT tintype.detach('t'); DROP TABLE t").await;
        }
    }
}

#[tokio::test]
async fn a_sweep_in_another_time_zone_forgets_no_picture() {
    let (_test, client) = installed().await;
    run(
        &client,
        "setup",
        "CREATE TABLE visits (at timestamptz PRIMARY KEY, body text); SELECT tintype.attach('visits');
         INSERT INTO visits VALUES ('2026-05-01 12:00+00', 'x');
         INSERT INTO tintype.image (source, key, state, content)
             SELECT s.id, c.key, 'ready', r.content FROM tintype.source s, tintype.change c, tintype.read_row(s, c.key) r;
         DELETE FROM tintype.change",
    )
    .await;
    for session in SESSIONS {
        run(&client, session, session).await;
        run(&client, session, "SELECT tintype.sweep(id, 100), tintype.sweep(id, 100) FROM tintype.source").await;
        assert_eq!(texts(&client, "SELECT key FROM tintype.image").await, ["2026-05-01T12:00:00"], "{session}");
        assert!(marked(&client).await.is_empty(), "{session}");
    }
}
