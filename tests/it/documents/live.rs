//! docs/LIVE.md: its SQL runs as it stands, the rights it gives are enough, and a worker says what it says that it says.

use std::collections::BTreeSet;

use serde_json::Value;
use tintype::db::{ConnectSettings, Database, LibpqEnv};

use crate::support::{
    postgres::connect,
    schema::run,
    worker::{LIMIT, Workplace, blog},
};

const DOCUMENT: &str = include_str!("../../../docs/LIVE.md");

/// The blocks of one language, without their indentation.
fn blocks(language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let blocks = DOCUMENT.split(&fence).skip(1).filter_map(|rest| rest.split_once("```"));
    blocks.map(|(block, _)| block.lines().map(str::trim_start).collect::<Vec<_>>().join("\n")).collect()
}

#[tokio::test]
async fn what_it_says_is_heard_and_may_be_read() {
    let (test, client) = blog().await;
    let app = format!("{}_app", url::Url::parse(&test.url()).unwrap().path().trim_start_matches('/'));
    run(&client, "the application's role", &format!("CREATE ROLE {app} LOGIN")).await;
    let sql = blocks("sql");
    assert_eq!(sql.len(), 3, "{sql:?}");
    run(&client, "the rights", &sql[0].replace("'app'", &format!("'{app}'"))).await;
    let mut url = url::Url::parse(&test.url()).unwrap();
    url.set_username(&app).unwrap();
    let settings = ConnectSettings { url: Some(url.to_string()), ..ConnectSettings::default() };
    let application = Database::connect(&settings, &LibpqEnv::default()).await.unwrap();
    let mut ear = application.listen("tintype_image").await.unwrap();

    let workplace = Workplace::new(test.url());
    run(&client, "a post", "INSERT INTO posts (id, title) VALUES (42, 'A picture for the application')").await;
    let mut worker = workplace.start(&["--announce", "--exit-when-idle"]);
    let told = tokio::time::timeout(LIMIT, ear.next()).await.expect("a notification").unwrap();
    let told: Value = serde_json::from_str(&told.payload).unwrap();
    let example: Value = serde_json::from_str(&blocks("json")[0]).unwrap();
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(fields(&told), fields(&example));
    for field in ["source", "key", "state"] {
        assert_eq!(told[field], example[field], "{told}");
    }
    assert_eq!(worker.exit().await.code(), Some(0));
    let reader = connect(url.as_str()).await;
    for query in &sql[1..] {
        let rows = reader.query(query.trim().trim_end_matches(';'), &[]).await.unwrap();
        assert_eq!(rows.len(), 1, "{query}");
        assert_eq!(rows[0].get::<_, Option<&str>>("url"), told["url"].as_str(), "{query}");
    }
    drop(reader);
    run(&client, "he leaves", &format!("DROP OWNED BY {app}; DROP ROLE {app}")).await;
}
