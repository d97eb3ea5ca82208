//! `tintype status`.

use serde_json::{Value, json};

use super::{
    Context,
    terminal::{print, print_json, say, table},
};
use crate::{cli::Status, db::Queries, error::Error};

pub(super) async fn status(context: &Context, flags: &Status) -> Result<(), Error> {
    let db = context.installed().await?;
    let rows = db.get().await?.query("SELECT to_jsonb(s) FROM tintype.status s", &[]).await?;
    let tables: Vec<Value> = rows.iter().map(|row| row.get(0)).collect();
    if flags.json {
        for one in &tables {
            print_json(one);
        }
        return Ok(());
    }
    if tables.is_empty() {
        say("no table is attached");
        say("next: tintype attach TABLE");
        return Ok(());
    }
    let columns = ["source", "state", "ready", "skipped", "failed", "pending", "processing", "retrying", "oldest_age"];
    let mut lines = table(&columns.map(|column| match column {
        "oldest_age" => "oldest",
        other => other,
    }));
    for one in &tables {
        lines.add_row(columns.map(|column| match &one[column] {
            Value::String(age) if column == "oldest_age" => age.split('.').next().unwrap_or_default().to_owned(),
            Value::String(text) => text.clone(),
            Value::Null => "-".to_owned(),
            other => other.to_string(),
        }));
    }
    print(&lines.trim_fmt());
    for one in &tables {
        if let (Some(source), Some(marked @ 1..)) = (one["source"].as_str(), one["marked"].as_u64()) {
            say(&format!(
                "{source}: {marked} ready with marks for characters that no font has: SELECT key, reason FROM tintype.image WHERE state = 'ready' AND reason IS NOT NULL"
            ));
        }
        if let (Some(source), Some(error)) = (one["source"].as_str(), one["last_error"].as_str()) {
            say(&format!("{source}: last error: {error}"));
        }
        if let (Some(source), "broken") = (one["source"].as_str(), one["state"].as_str().unwrap_or_default()) {
            say(&format!("{source} is broken: tintype doctor says what mends it"));
        }
    }
    if tables[0]["workers"] == json!(0) {
        say("no worker is running: tintype run");
    }
    Ok(())
}
