//! Rows that nobody should have written: each comes to an end, ready, skipped or failed with a reason, and the row beside it is
//! drawn as if nothing were.

use tokio_postgres::Client;

use crate::support::{
    postgres::{TestDatabase, connect},
    worker::{BASE, POSTS, Workplace, blog, install},
};

/// What became of a row: its state in the ledger, and why.
async fn end(client: &Client, key: &str) -> Option<(String, Option<String>)> {
    let entry = "SELECT state, reason FROM tintype.image WHERE key = $1";
    client.query_opt(entry, &[&key]).await.unwrap().map(|row| (row.get(0), row.get(1)))
}

/// Draws everything; each row must have come to an end, and the good one to a picture.
async fn all_end(client: &Client, workplace: &Workplace, case: &str) {
    let code = workplace.work().await;
    assert!(matches!(code, 0 | 4), "{case}: exit code {code}");
    let left = client.query("SELECT key, last_error FROM tintype.job", &[]).await.unwrap();
    assert!(left.is_empty(), "{case}: still waiting: {left:?}");
    let odd = "SELECT count(*) FROM tintype.image WHERE state <> 'ready' AND coalesce(reason, '') = ''";
    assert_eq!(client.query_one(odd, &[]).await.unwrap().get::<_, i64>(0), 0, "{case}: without a reason");
    let url: Option<String> =
        client.query_one("SELECT og_image_url FROM posts WHERE id = 0", &[]).await.unwrap().get(0);
    assert!(url.is_some_and(|url| url.starts_with(BASE)), "{case}: the row beside it");
}

/// Columns of a row as SQL expressions: what it is, its title, its body.
const ODD_ROWS: [(&str, &str, &str); 20] = [
    ("a body of 20 MB", "'Long'", "repeat(E'Many words, line after line.\\n', 700000)"),
    ("20 MB of code", "'Long'", "E'```rust\\n' || repeat(E'let x = 1;\\n', 1800000) || E'```\\n'"),
    ("20 MB of open fences", "'Long'", "repeat(E'```\\n', 5000000)"),
    ("one line of 100 KB", "'Wide'", "E'```rust\\n' || repeat('x', 100000) || E'\\n```\\n'"),
    ("one word of 100 KB", "'Wide'", "repeat('x', 100000)"),
    (
        "control characters",
        "E'\\x01\\x02\\x1b[31m\\x7f'",
        "(SELECT string_agg(chr(c), '') FROM generate_series(1, 159) c)",
    ),
    ("marks that turn the text around", "E'\\u202e\\u2066\\u200f'", "repeat(E'\\u202e', 10000)"),
    ("10,000 combining marks", "'a' || repeat(E'\\u0301', 10000)", "repeat(E'\\u0301', 10000)"),
    ("nothing", "NULL", "NULL"),
    ("empty", "''", "''"),
    ("only blanks", "E' \\t\\n'", "E' \\t\\r\\n\\u00a0\\u2003\\u200b'"),
    ("only a fence", "NULL", "'```'"),
    ("an empty code block", "NULL", "E'```rust\\n```'"),
    ("a title of 1 MB", "repeat('Many words ', 95000)", "'a'"),
    ("a title of many lines", "repeat(E'line\\n', 10000)", "'a'"),
    ("100,000 quotes in each other", "'Deep'", "repeat('>', 100000) || ' text'"),
    ("100,000 open brackets", "'Deep'", "repeat('[', 100000)"),
    ("100,000 elements in each other", "'Deep'", "repeat('<div>', 100000)"),
    ("a language of 100 KB", "'Odd'", "'```' || repeat('x', 100000) || E'\\ncode\\n```\\n'"),
    (
        "characters beyond the first plane",
        "E'\\U0001F469\\u200D\\U0001F4BB \\U0010FFFF \\uFFFE'",
        "E'\\U000E0001\\U0001F1E9\\U0001F1EA'",
    ),
];

#[tokio::test]
async fn bodies_and_titles() {
    let (database, client) = blog().await;
    let workplace = Workplace::new(database.url());
    client.batch_execute("INSERT INTO posts (id, title, body) VALUES (0, 'Good', 'A good row.')").await.unwrap();
    for (number, (what, title, body)) in ODD_ROWS.iter().enumerate() {
        let insert = format!("INSERT INTO posts (id, title, body) VALUES ({}, {title}, {body})", number + 1);
        client.batch_execute(&insert).await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
    }
    all_end(&client, &workplace, "bodies and titles").await;
    for (number, (what, _, _)) in ODD_ROWS.iter().enumerate() {
        let ended = end(&client, &(number + 1).to_string()).await;
        let (state, reason) = ended.unwrap_or_else(|| panic!("{what}: no entry"));
        if matches!(*what, "nothing" | "empty" | "only blanks" | "only a fence" | "an empty code block") {
            assert_eq!(state, "skipped", "{what}: {reason:?}");
        }
    }
}

#[tokio::test]
async fn tags_in_any_form() {
    for (kind, values) in [
        ("text", &["'a, b'", "'{a,b}'", "'[\"a\"]'", "','", "'{'", "repeat('tag ', 50000)", "NULL"][..]),
        (
            "text[]",
            &["'{}'", "'{NULL}'", "'{{a,b},{c,d}}'", "ARRAY['\"', '{', ',', '\\', '']", "'[5:6]={a,b}'", "NULL"],
        ),
        ("json", &["'null'", "'[]'", "'[1, null, {\"a\": [2]}]'", "'\"a\"'", "'{\"a\": 1}'", "'  [ \"b\" ]  '", "'3'"]),
        ("jsonb", &["'[[\"a\"]]'", "'true'", "'{}'"]),
        ("integer[]", &["'{1,2}'", "'{}'"]),
    ] {
        let (database, client) = blog().await;
        let workplace = Workplace::new(database.url());
        client
            .batch_execute(&format!(
                "ALTER TABLE posts ADD tags {kind}; SELECT tintype.attach('posts', tags => 'tags')"
            ))
            .await
            .unwrap();
        for (id, value) in values.iter().enumerate() {
            let insert = format!("INSERT INTO posts (id, title, tags) VALUES ({id}, 'Tagged', {value})");
            client.batch_execute(&insert).await.unwrap_or_else(|error| panic!("{kind} {value}: {error:?}"));
        }
        all_end(&client, &workplace, kind).await;
        for (id, value) in values.iter().enumerate() {
            assert_eq!(
                end(&client, &id.to_string()).await.map(|end| end.0).as_deref(),
                Some("ready"),
                "{kind} {value}"
            );
        }
    }
}

#[tokio::test]
async fn keys_that_are_no_names_for_files() {
    let (database, client) = blog().await;
    let workplace = Workplace::new(database.url());
    client
        .batch_execute("CREATE TABLE pages (slug text PRIMARY KEY, title text, og_image_url text); SELECT tintype.attach('pages', title => 'title');
                        INSERT INTO posts (id, title) VALUES (0, 'Good')")
        .await
        .unwrap();
    let long = format!("{}\n", "a/b 'c' \"d\" é\\ ".repeat(140));
    let keys = [
        &long,
        "../../../etc/passwd",
        "/",
        ".",
        "..",
        "",
        " ",
        "a\nb",
        "'; DROP TABLE pages; --",
        "%2e%2e",
        "A",
        "a",
        "CON",
        "日本",
    ];
    assert!(long.len() > 2000);
    for key in keys {
        client.execute("INSERT INTO pages (slug, title) VALUES ($1, 'A page')", &[&key]).await.unwrap();
    }
    all_end(&client, &workplace, "keys").await;
    let rows = client.query("SELECT slug, og_image_url FROM pages", &[]).await.unwrap();
    assert_eq!(rows.len(), keys.len());
    for row in &rows {
        let (key, url): (&str, Option<&str>) = (row.get(0), row.get(1));
        let path = url.and_then(|url| url.strip_prefix(BASE)).unwrap_or_else(|| panic!("{key:?}: {url:?}"));
        let name = path.trim_start_matches('/');
        assert!(workplace.store().join(name).is_file(), "{key:?}: {name}");
        assert!(!name.contains("..") && name.split('/').count() == 3, "{key:?}: {name} is below the store");
    }
    assert_eq!(workplace.pictures().len(), keys.len() + 1, "no two rows share a picture");
}

/// A database in another encoding, with `posts` attached; dropped by hand, since it is no [`TestDatabase`].
struct Foreign {
    home: TestDatabase,
    name: String,
}

impl Foreign {
    async fn new(encoding: &str) -> Self {
        let home = TestDatabase::new().await;
        let own = home.url();
        let name = format!("{}_{}", own.rsplit('/').next().unwrap(), encoding.to_lowercase());
        let create =
            format!("CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
        home.client().await.batch_execute(&create).await.unwrap();
        let foreign = Self { home, name };
        let client = foreign.client().await;
        install(&client).await;
        client.batch_execute(&format!("{POSTS}; SELECT tintype.attach('posts')")).await.unwrap();
        client.batch_execute("INSERT INTO posts (id, title) VALUES (0, 'Good')").await.unwrap();
        foreign
    }

    fn url(&self) -> String {
        let own = self.home.url();
        let (server, _) = own.rsplit_once('/').unwrap();
        format!("{server}/{}", self.name)
    }

    async fn client(&self) -> Client {
        connect(&self.url()).await
    }

    async fn drop(self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        self.home.client().await.batch_execute(&drop).await.unwrap();
    }
}

#[tokio::test]
async fn bytes_that_are_no_utf_8() {
    let foreign = Foreign::new("SQL_ASCII").await;
    let (client, workplace) = (foreign.client().await, Workplace::new(foreign.url()));
    for (id, title, body) in [
        (1, "E'caf\\xe9'", "E'Latin-1: \\xe9\\xe8'"),
        (2, "E'\\xff\\xfe'", "NULL"),
        (3, "'UTF-8: é'", "E'```rust\\nlet caf\\xe9 = \"\\xc3\\x28\";\\nlet x = 1;\\n```'"),
    ] {
        client
            .batch_execute(&format!("INSERT INTO posts (id, title, body) VALUES ({id}, {title}, {body})"))
            .await
            .unwrap();
    }
    all_end(&client, &workplace, "SQL_ASCII").await;
    for id in 1..=3 {
        assert_eq!(end(&client, &id.to_string()).await.map(|end| end.0).as_deref(), Some("ready"), "row {id}");
    }
    drop(client);
    foreign.drop().await;
}

#[tokio::test]
async fn a_key_that_is_no_utf_8_holds_nobody_up() {
    let foreign = Foreign::new("SQL_ASCII").await;
    let (client, workplace) = (foreign.client().await, Workplace::new(foreign.url()));
    client
        .batch_execute(
            "CREATE TABLE notes (slug text PRIMARY KEY, body text, url text); SELECT tintype.attach('notes', body => 'body', image => 'url');
             INSERT INTO notes (slug, body) VALUES (E'caf\\xe9', 'one'), ('tea', 'two')",
        )
        .await
        .unwrap();
    assert_ne!(workplace.work().await, 1, "the worker goes on");
    let drawn: i64 = client.query_one("SELECT count(*) FROM notes WHERE url IS NOT NULL", &[]).await.unwrap().get(0);
    assert_eq!(drawn, 1, "the row beside it");
    drop(client);
    foreign.drop().await;
}

#[tokio::test]
async fn a_database_in_latin_1() {
    let foreign = Foreign::new("LATIN1").await;
    let (client, workplace) = (foreign.client().await, Workplace::new(foreign.url()));
    client.batch_execute("INSERT INTO posts (id, title, body) VALUES (1, 'Café', 'Déjà vu')").await.unwrap();
    all_end(&client, &workplace, "LATIN1").await;
    let first: String = client.query_one("SELECT og_image_url FROM posts WHERE id = 1", &[]).await.unwrap().get(0);
    client.batch_execute("UPDATE posts SET body = 'Déjà lu' WHERE id = 1").await.unwrap();
    all_end(&client, &workplace, "LATIN1, edited").await;
    let second: String = client.query_one("SELECT og_image_url FROM posts WHERE id = 1", &[]).await.unwrap().get(0);
    assert_ne!(first, second);
    drop(client);
    foreign.drop().await;
}
