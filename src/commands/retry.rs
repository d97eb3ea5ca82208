//! `tintype retry`: what failed is tried again. Where there was nothing to try, it says what became of the row that was asked for.

use serde_json::json;
use tokio_postgres::Row;

use super::{
    Context,
    terminal::{print_json, say},
};
use crate::{
    cli::Retry,
    db::{DbError, Queries},
    error::Error,
    source::{self, Source},
};

pub(super) async fn retry(context: &Context, flags: &Retry) -> Result<(), Error> {
    let db = context.installed().await?;
    let client = db.get().await?;
    let sql = "SELECT tintype.retry(CASE WHEN $1::text IS NOT NULL THEN tintype.find_table($1) END, $2)";
    let marked: i64 = client.query_one(sql, &[&flags.table, &flags.key]).await?.get(0);
    let words = match (marked, &flags.table, &flags.key) {
        (0, Some(table), Some(key)) => why_not(&client, &source::find(&client, table).await?, key).await?,
        (0, Some(table), None) => format!("nothing of {table} has failed, and nothing waits for another attempt"),
        (0, None, _) => "nothing has failed, and nothing waits for another attempt".to_owned(),
        (1, ..) => "1 row will be tried again".to_owned(),
        (rows, ..) => format!("{rows} rows will be tried again"),
    };
    if flags.json {
        print_json(&json!({ "marked": marked }));
    } else {
        say(&words);
    }
    Ok(())
}

/// What became of a row that has not failed; an error where there is none.
async fn why_not(client: &impl Queries, source: &Source, key: &str) -> Result<String, Error> {
    let name = &source.name;
    let sql = "SELECT e.state, e.url, tintype.bytes(e.reason) AS reason FROM tintype.source s CROSS JOIN LATERAL tintype.read_row(s, $2) r
                 LEFT JOIN tintype.entry e ON e.source_id = s.id AND e.key = $2 WHERE s.id = $1";
    let row = match client.query_opt(sql, &[&source.id, &key]).await {
        // A text that is none of the key's type.
        Err(DbError::Query(error)) if error.code().is_some_and(|state| state.code().starts_with("22")) => None,
        row => row?,
    };
    let Some(row) = row else {
        let columns = source.key_columns.join(", ");
        let form = if source.key_columns.len() == 1 { "" } else { ", written as an array: '{a,b}'" };
        return Err(Error::Usage {
            what: format!("{name} has no row with the key {key}"),
            hint: format!(
                "the key is ({columns}){form}; SELECT key, reason FROM tintype.image WHERE state = 'failed' shows those that failed"
            ),
        });
    };
    let condition = condition(client, source, key).await?;
    let again = format!("tintype backfill {name} --rerender --where '{condition}' draws it again");
    Ok(match row.get::<_, Option<&str>>("state") {
        Some("pending") => {
            format!("row {key} of {name} has not failed: it waits for its turn; tintype status shows who is at work")
        }
        Some("processing") => format!("row {key} of {name} has not failed: it is being drawn"),
        Some("skipped") => {
            format!("row {key} of {name} has not failed: it calls for no picture ({}); {again}", reason(&row))
        }
        Some(_) => {
            let url = row.get::<_, Option<&str>>("url").unwrap_or_default();
            format!("row {key} of {name} has not failed: its picture is {url}; {again}")
        }
        None => format!("row {key} of {name} has not failed: nobody has asked for its picture yet; {again}"),
    })
}

fn reason(row: &Row) -> String {
    row.get::<_, Option<Vec<u8>>>("reason")
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

/// What `--where` has to say to mean one row, for a shell's single quotes.
async fn condition(client: &impl Queries, source: &Source, key: &str) -> Result<String, Error> {
    let sql = "SELECT string_agg(format(CASE WHEN k.type IN ('smallint', 'integer', 'bigint') THEN '%I = %s' ELSE '%I = $$%s$$' END, k.name, k.value), ' AND ')
                 FROM unnest($1::text[], $2::text[], CASE WHEN cardinality($1::text[]) = 1 THEN ARRAY[$3] ELSE $3::text[] END) k(name, type, value)";
    let words: String = client.query_one(sql, &[&source.key_columns, &source.key_types, &key]).await?.get(0);
    Ok(words.replace('\'', r"'\''"))
}
