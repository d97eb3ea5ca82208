//! What cannot be watched is refused with its name, the reason, what to do instead, and the code that says whose fault it is.

use crate::support::{
    program::tintype,
    schema::{installed, refused, run, text},
};

const TABLES: &str = "
    CREATE TABLE posts (
        id bigint PRIMARY KEY, title text, body text, headline text, created_at timestamptz, og_image_url text, views integer,
        short varchar(60), wide varchar(120), made text GENERATED ALWAYS AS (upper(body)) STORED, doc jsonb, labels text[]);
    CREATE VIEW recent AS SELECT p.* FROM posts p JOIN pg_class c ON c.relname = p.title;
    CREATE MATERIALIZED VIEW digest AS SELECT * FROM posts;
    CREATE TABLE keyless (body text);
    CREATE TABLE nullable (slug text UNIQUE, body text);
    CREATE TABLE numbers (id bigint PRIMARY KEY, amount numeric);
    CREATE TABLE untouched (id bigint PRIMARY KEY, body text, n int NOT NULL, m int NOT NULL, UNIQUE (n, m));
    CREATE SEQUENCE counter;
    CREATE SCHEMA one; CREATE TABLE one.twins (id int PRIMARY KEY, body text);
    CREATE SCHEMA two; CREATE TABLE two.twins (id int PRIMARY KEY, body text);
    CREATE TEMPORARY TABLE scratch (id int PRIMARY KEY, body text);";

/// What is asked; SQLSTATE, message, and what the hint has to say.
const REFUSALS: &[(&str, &str, &str, &str)] = &[
    (
        "attach('recent')",
        "42809",
        "public.recent is a view, and its rows are written elsewhere",
        "Attach the table that it reads: public.posts.",
    ),
    (
        "attach('digest')",
        "42809",
        "public.digest is a materialized view, and its rows are written elsewhere",
        "Attach the table that it reads: public.posts.",
    ),
    (
        "attach('scratch')",
        "42809",
        "scratch is a temporary table, which a worker cannot see",
        "Name a permanent table.",
    ),
    ("attach('counter')", "42809", "public.counter is not a table", "Name a table."),
    ("attach('posts_pkey')", "42809", "public.posts_pkey is not a table", "Name a table."),
    (
        "attach('tintype.job')",
        "42809",
        "tintype.job belongs to schema tintype, not to an application",
        "Name a table of your application.",
    ),
    (
        "attach('pg_class')",
        "42809",
        "pg_class belongs to schema pg_catalog, not to an application",
        "Name a table of your application.",
    ),
    ("attach(4294967295)", "42P01", "there is no table with oid 4294967295", ""),
    (
        "attach('keyless')",
        "55000",
        "table public.keyless has no key: no primary key and no unique index on columns that are NOT NULL",
        "ALTER TABLE public.keyless ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;",
    ),
    (
        "attach('nullable')",
        "55000",
        "table public.nullable has no key: no primary key and no unique index on columns that are NOT NULL",
        "ALTER TABLE",
    ),
    (
        "attach('nullable', key => '{slug}')",
        "55000",
        "columns (slug) do not identify a row of public.nullable",
        "all NOT NULL",
    ),
    (
        "attach('untouched', key => '{n}')",
        "55000",
        "columns (n) do not identify a row of public.untouched",
        "A unique index on exactly these columns",
    ),
    (
        "attach('posts', key => '{idd}')",
        "42703",
        "table public.posts has no column idd for the key",
        "Did you mean id?",
    ),
    (
        "attach('posts', body => 'boddy')",
        "42703",
        "table public.posts has no column boddy for the body",
        "Did you mean body?",
    ),
    (
        "attach('posts', title => 'Titel')",
        "42703",
        "table public.posts has no column \"Titel\" for the title",
        "Did you mean title?",
    ),
    (
        "attach('posts', date => 'xyzzy')",
        "42703",
        "table public.posts has no column xyzzy for the date",
        "Columns that would fit: ",
    ),
    (
        "attach('posts', image => 'xyzzy')",
        "42703",
        "table public.posts has no column xyzzy for the image",
        "Columns that would fit: headline, og_image_url, wide.",
    ),
    (
        "attach('untouched', image => 'og_image_url')",
        "42703",
        "table public.untouched has no column og_image_url for the image",
        "Add it: ALTER TABLE public.untouched ADD COLUMN og_image_url text; or leave --image out",
    ),
    (
        "attach('untouched', status => 'picture_state')",
        "42703",
        "table public.untouched has no column picture_state for the status",
        "Add it: ALTER TABLE public.untouched ADD COLUMN picture_state text DEFAULT 'pending'; or leave --status-column out",
    ),
    ("attach('numbers')", "42703", "no column of public.numbers looks like a body or a title", "--body"),
    (
        "attach('numbers', body => 'text')",
        "42703",
        "table public.numbers has no column text for the body",
        "No column of this table would fit",
    ),
    (
        "attach('posts', body => 'views')",
        "42804",
        "column views of public.posts is integer, which cannot serve as the body",
        "A text column is needed.",
    ),
    (
        "attach('posts', title => 'doc')",
        "42804",
        "column doc of public.posts is jsonb, which cannot serve as the title",
        "A text column is needed.",
    ),
    (
        "attach('posts', date => 'views')",
        "42804",
        "column views of public.posts is integer, which cannot serve as the date",
        "A date, a timestamp or a text column",
    ),
    (
        "attach('posts', tags => 'views')",
        "42804",
        "column views of public.posts is integer, which cannot serve as the tags",
        "An array, a json or a text column",
    ),
    (
        "attach('posts', image => 'views')",
        "42804",
        "column views of public.posts is integer, which cannot serve as the image",
        "ALTER TABLE public.posts ADD COLUMN og_image_url text;",
    ),
    (
        "attach('posts', image => 'labels')",
        "42804",
        "column labels of public.posts is text[], which cannot serve as the image",
        "ADD COLUMN",
    ),
    (
        "attach('posts', image => 'short')",
        "22023",
        "column short of public.posts holds 60 characters, too few for a URL",
        "ALTER TABLE public.posts ALTER COLUMN short TYPE text;",
    ),
    (
        "attach('posts', image => 'made')",
        "22023",
        "column made of public.posts is generated and cannot be written",
        "Name an ordinary text column",
    ),
    (
        "attach('posts', image => 'body')",
        "22023",
        "column body of public.posts is read for the picture and cannot hold its URL as well",
        "Name another column with --image",
    ),
    (
        "attach('posts', title => 'headline', image => 'headline')",
        "22023",
        "column headline of public.posts is read for the picture",
        "another column",
    ),
    (
        "attach('posts', draw => 'poster')",
        "22023",
        "there is nothing to draw that is called 'poster'",
        "One of: auto, code, title, page, html.",
    ),
    (
        "attach('posts', draw => 'page')",
        "22023",
        "no address says where the page of a row of public.posts is",
        "--url 'https://app.example/posts/{slug}'",
    ),
    (
        "attach('posts', draw => 'html')",
        "22023",
        "no template says what to draw of a row of public.posts",
        "--html NAME",
    ),
    (
        "attach('posts', draw => 'code', url => 'https://app.example/{id}')",
        "22023",
        "a picture of public.posts cannot be drawn as code and captured as well",
        "--draw page",
    ),
    (
        "attach('posts', url => 'https://app.example/{slug}')",
        "42703",
        "table public.posts has no column slug for the page",
        "Columns stand in braces",
    ),
    (
        "attach('posts', url => 'https://app.example/{titel}')",
        "42703",
        "table public.posts has no column titel for the page",
        "Did you mean {title}?",
    ),
    ("attach('posts', url => 'app.example/{id}')", "22023", "'app.example/{id}' is not the address of a page", "fixed"),
    ("attach('posts', url => 'file:///{id}')", "22023", "'file:///{id}' is not the address of a page", "fixed"),
    ("attach('posts', url => 'https://{title}/x')", "22023", "'https://{title}/x' is not the address", "fixed"),
    ("attach('posts', url => 'https://a.{title}.example')", "22023", "'https://a.{title}.example' is not", "fixed"),
    (
        "attach('posts', url => 'https://ada:engine@app.example/{id}')",
        "22023",
        "'https://ada:engine@app.example/{id}' is not the address of a page",
        "--auth basic=NAME",
    ),
    (
        "attach('posts', url => 'https://app.example/{id}', capture => '[]')",
        "22023",
        "the options of a capture are no JSON object: []",
        "",
    ),
    (
        "attach('posts', url => 'https://app.example/{og_image_url}')",
        "22023",
        "column og_image_url of public.posts is read for the picture",
        "another column",
    ),
    (
        "attach('posts', row_filter => 'publshed')",
        "22023",
        "the row filter (publshed) cannot be used on public.posts: column \"publshed\" does not exist",
        "SQL condition",
    ),
    (
        "attach('posts', row_filter => 'views')",
        "22023",
        "the row filter (views) cannot be used on public.posts: argument of WHERE must be type boolean",
        "SQL condition",
    ),
    ("attach('posts', row_filter => 'true) OR (SELECT')", "22023", "the row filter", "SQL condition"),
    ("attach('posts', row_filter => 'true; DROP TABLE posts')", "22023", "the row filter", "SQL condition"),
    (
        "attach(tintype.find_table('twins'))",
        "42P09",
        "table twins is in more than one schema: one.twins, two.twins",
        "Name one of them with its schema.",
    ),
    ("attach(tintype.find_table('post'))", "42P01", "table post does not exist in database DB", "Did you mean posts?"),
    (
        "attach(tintype.find_table('one.twin'))",
        "42P01",
        "table one.twin does not exist in database DB",
        "Did you mean twins?",
    ),
    (
        "attach(tintype.find_table('xyzzy'))",
        "42P01",
        "table xyzzy does not exist in database DB",
        "check that this is the right database",
    ),
    ("detach('posts')", "42704", "table public.posts is not attached", "Attached are: untouched"),
    ("backfill('posts')", "42704", "table public.posts is not attached", "tintype attach public.posts"),
];

#[tokio::test]
async fn every_refusal_names_the_thing_and_the_way_out() {
    let (_test, client) = installed().await;
    run(&client, "tables", TABLES).await;
    run(&client, "one is attached", "SELECT tintype.attach('untouched')").await;
    let database = text(&client, "SELECT current_database()").await;
    for (call, state, message, hint) in REFUSALS {
        let refusal = refused(&client, call, &format!("SELECT tintype.{call}")).await;
        let message = message.replace("DB", &database);
        assert_eq!(refusal.state, *state, "{call}: {refusal:?}");
        assert!(refusal.message.starts_with(&message), "{call}: {refusal:?}");
        assert!(refusal.hint.contains(hint), "{call}: {refusal:?}");
    }
    assert_eq!(
        text(&client, "SELECT string_agg(name, ' ') FROM tintype.source").await,
        "untouched",
        "nothing else came of it"
    );
}

#[tokio::test]
async fn a_foreign_table_is_refused() {
    let (_test, client) = installed().await;
    let wrapper = text(
        &client,
        "SELECT coalesce(min(name), '') FROM pg_available_extensions WHERE name IN ('file_fdw', 'postgres_fdw')",
    )
    .await;
    if wrapper.is_empty() {
        eprintln!("skipped: this server has neither file_fdw nor postgres_fdw");
        return;
    }
    let table = format!(
        "CREATE EXTENSION {wrapper}; CREATE SERVER far FOREIGN DATA WRAPPER {wrapper};
         CREATE FOREIGN TABLE remote (id int, body text) SERVER far {}",
        if wrapper == "file_fdw" { "OPTIONS (filename '/nonexistent')" } else { "" }
    );
    run(&client, "foreign table", &table).await;
    let refusal = refused(&client, "foreign", "SELECT tintype.attach('remote')").await;
    assert_eq!(refusal.state, "42809", "{refusal:?}");
    assert_eq!(refusal.message, "public.remote is a foreign table: writes made at its home would go unseen");
    assert!(refusal.hint.contains("where the table lives"), "{refusal:?}");
}

/// The command line says the same, with an exit code: 2 where it was asked amiss.
#[tokio::test]
async fn the_command_line_passes_refusals_on() {
    let (test, client) = installed().await;
    run(&client, "tables", TABLES).await;
    let cases: &[(&[&str], u8, &str, &str)] = &[
        (&["attach", "post"], 2, "table post does not exist in database", "Did you mean posts?"),
        (&["attach", "recent"], 2, "public.recent is a view", "Attach the table that it reads: public.posts."),
        (&["attach", "keyless"], 2, "table public.keyless has no key", "ALTER TABLE public.keyless ADD COLUMN"),
        (&["attach", "posts", "--body", "boddy"], 2, "table public.posts has no column boddy", "Did you mean body?"),
        (&["attach", "posts", "--image", "views"], 2, "column views of public.posts is integer", "needs a text column"),
        (&["attach", "posts", "--image", "short"], 2, "column short of public.posts holds 60", "TYPE text;"),
        (
            &["attach", "posts", "--image", "made"],
            2,
            "column made of public.posts is generated",
            "ordinary text column",
        ),
        (&["attach", "posts", "--where", "nonsense"], 2, "the row filter (nonsense)", "SQL condition"),
        (&["attach", "posts", "--draw", "poster"], 2, "invalid value 'poster'", ""),
        (&["attach", "posts", "--draw", "page"], 2, "no address says where the page", "--url"),
        (&["attach", "posts"], 2, "there is no terminal to ask on", "--yes"),
        (&["detach", "posts"], 2, "table public.posts is not attached", "No table is attached."),
    ];
    for (arguments, code, error, hint) in cases {
        let ran = tintype(&test.url(), arguments).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (i32::from(*code), ""), "{arguments:?}: {ran:?}");
        assert!(ran.error().starts_with(error) && ran.hint().contains(hint), "{arguments:?}: {ran:?}");
        assert!(!ran.stderr.contains("SQLSTATE"), "{arguments:?}: {ran:?}");
    }
    assert_eq!(text(&client, "SELECT count(*) FROM tintype.source").await, "0");
}
