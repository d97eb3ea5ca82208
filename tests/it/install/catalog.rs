//! A database's objects as lines that can be compared, the same under every version of Postgres.

use std::process::Command;

use tokio_postgres::Client;

use crate::support::schema::{text, texts};

/// A line an object; `$` stands for the condition on `n`, the schema.
const LISTING: &str = "
    SELECT line FROM (
        SELECT 1 AS part, format('schema %s', n.nspname) AS line, 0 AS n FROM pg_namespace n WHERE $
        UNION ALL
        SELECT 2, format('%s %s.%s %s', CASE c.relkind WHEN 'v' THEN 'view' WHEN 'p' THEN 'partitioned table' WHEN 'S' THEN 'sequence' ELSE 'table' END,
                         n.nspname, c.relname, c.reloptions::text), 0
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'S', 'm', 'f') AND $
        UNION ALL
        SELECT 3, concat_ws(' ', format('column %s.%s.%s', n.nspname, c.relname, a.attname), format_type(a.atttypid, a.atttypmod),
                            CASE WHEN a.attnotnull THEN 'NOT NULL' END, CASE WHEN a.attidentity <> '' THEN 'IDENTITY ' || a.attidentity::text END,
                            'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid)), 0
          FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 AND NOT a.attisdropped AND $
        UNION ALL
        SELECT 4, pg_get_indexdef(c.oid), 0 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('i', 'I') AND $
        UNION ALL
        SELECT 5, format('constraint %s.%s %s', n.nspname, k.conname, pg_get_constraintdef(k.oid)), 0
          FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE k.contype <> 'n' AND $
        UNION ALL
        SELECT 6, format('function %s.%s(%s) %s %s %s %s', n.nspname, p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
                         CASE WHEN p.prosecdef THEN 'SECURITY DEFINER' ELSE '' END, p.provolatile, p.proconfig::text), 0
          FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE $
        UNION ALL
        SELECT 7, pg_get_triggerdef(t.oid), 0
          FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal AND $
        UNION ALL
        SELECT 8, format('type %s.%s', n.nspname, y.typname), 0
          FROM pg_type y JOIN pg_namespace n ON n.oid = y.typnamespace WHERE y.typtype IN ('e', 'd') AND $
    ) listing ORDER BY part, line COLLATE \"C\"";

/// The objects of schema `tintype`.
pub(super) async fn of_tintype(client: &Client) -> Vec<String> {
    texts(client, &LISTING.replace('$', "n.nspname = 'tintype'"))
        .await
        .into_iter()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

/// The objects of all schemas but the server's own.
pub(super) async fn everything(client: &Client) -> Vec<String> {
    texts(client, &LISTING.replace('$', "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'")).await
}

/// The text of every function and view of schema `tintype`.
pub(super) async fn sources(client: &Client) -> Vec<String> {
    let sql = "SELECT pg_get_functiondef(p.oid) AS text FROM pg_proc p WHERE p.pronamespace = 'tintype'::regnamespace
               UNION ALL SELECT c.relname || pg_get_viewdef(c.oid) FROM pg_class c WHERE c.relnamespace = 'tintype'::regnamespace AND c.relkind = 'v'
               ORDER BY text";
    texts(client, sql).await
}

/// What `pg_dump` makes of it, where there is one for this server.
pub(super) async fn dump(url: &str, client: &Client) -> Option<String> {
    let server = text(client, "SELECT current_setting('server_version_num')::int / 10000").await;
    let program = std::env::var("TINTYPE_PG_BIN").map_or("pg_dump".to_owned(), |folder| format!("{folder}/pg_dump"));
    let version = Command::new(&program).arg("--version").output().ok()?;
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let major = version.split_whitespace().nth(2)?.split(['.', 'b', 'r']).next()?.to_owned();
    if major.parse::<u32>().ok()? < server.parse().ok()? {
        return None;
    }
    let output = Command::new(&program).args(["--schema-only", "--dbname", url]).output().expect("pg_dump runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Newer ones put a random word around the whole.
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(
        text.lines()
            .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"))
            .collect::<Vec<_>>()
            .join("\n"),
    )
}
