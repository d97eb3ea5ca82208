//! A watched table: which columns are read, where the URL goes, how the picture shall look. The catalog is asked by
//! `sql/functions/20_plan.sql`; this is its shape in Rust.

use tokio_postgres::{Row, types::Json};

use crate::{
    db::{DbError, Queries},
    page,
};

/// What a person asks of `attach`. `None` is proposed from the columns' names, an empty text means none.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Request {
    /// The column with the Markdown.
    pub body: Option<String>,
    /// The column that receives the URL.
    pub image: Option<String>,
    /// The column with the title.
    pub title: Option<String>,
    /// The column with the author's name.
    pub author: Option<String>,
    /// The column with the date.
    pub date: Option<String>,
    /// The column with the tags.
    pub tags: Option<String>,
    /// The columns of the key.
    pub key: Option<Vec<String>>,
    /// An SQL condition that a row must meet.
    pub row_filter: Option<String>,
    /// Whether a row that no longer meets it loses its URL.
    pub unpublish: Option<bool>,
    /// `auto`, `code`, `title`, `page` or `html`.
    pub draw: Option<String>,
    /// The look.
    pub look: Option<String>,
    /// The column with the name of a row's own look.
    pub look_column: Option<String>,
    /// A theme for the code.
    pub theme: Option<String>,
    /// A template for titles.
    pub template: Option<String>,
    /// The site's name on the card.
    pub site: Option<String>,
    /// Whether a write fails where its mark cannot be made.
    pub strict: Option<bool>,
    /// The address of a row's page, with columns in braces.
    pub url: Option<String>,
    /// A template in HTML, by name.
    pub html: Option<String>,
    /// More columns that the template is filled with, or whose change calls for another picture.
    pub data: Option<Vec<String>>,
    /// How pages are taken.
    pub capture: Option<serde_json::Value>,
    /// Whether options of captures are named, or all taken back, and not ways in alone.
    #[serde(skip)]
    pub names_options: bool,
    /// The column that says how a row's picture stands.
    pub status: Option<String>,
}

/// A row of `tintype.source`, stored or planned.
#[derive(Debug, Clone, serde::Serialize)]
#[allow(clippy::struct_excessive_bools)] // each is a column of its own
pub struct Source {
    /// Its number; `None` while it is only planned.
    pub id: Option<i32>,
    /// As a person types it.
    pub name: String,
    /// The table, qualified and quoted by the server.
    pub relation: String,
    /// The columns of the key.
    pub key_columns: Vec<String>,
    /// Their types.
    pub key_types: Vec<String>,
    /// The column with the Markdown.
    pub body_column: Option<String>,
    /// The column with the title.
    pub title_column: Option<String>,
    /// The column with the author's name.
    pub author_column: Option<String>,
    /// The column with the date.
    pub date_column: Option<String>,
    /// The column with the tags.
    pub tags_column: Option<String>,
    /// The column that receives the URL; without one it lives in `tintype.image` alone.
    pub image_column: Option<String>,
    /// Which rows get a picture.
    pub row_filter: Option<String>,
    /// Whether a row that leaves them loses its URL.
    pub unpublish: bool,
    /// `auto`, `code`, `title`, `page` or `html`.
    pub draw: String,
    /// The look.
    pub look: String,
    /// The column with the name of a row's own look.
    pub look_column: Option<String>,
    /// A theme for the code.
    pub theme: Option<String>,
    /// A template for titles.
    pub template: Option<String>,
    /// The site's name on the card.
    pub site: Option<String>,
    /// Whether a write fails where its mark cannot be made; else the sweep finds the row.
    pub strict: bool,
    /// The address of a row's page, with columns in braces.
    pub url: Option<String>,
    /// A template in HTML, by name.
    pub html: Option<String>,
    /// The columns that either is filled with.
    pub data_columns: Vec<String>,
    /// How pages are taken.
    pub capture: serde_json::Value,
    /// The column that says how a row's picture stands.
    pub status_column: Option<String>,
    /// Whether the browser draws it.
    #[serde(skip)]
    pub page: bool,
    /// Whether drawing is paused.
    pub paused: bool,
}

impl Source {
    /// What to ask for to get this source with the changes that `request` names.
    pub fn with(&self, request: Request) -> Request {
        let kept = |column: &Option<String>| Some(column.clone().unwrap_or_default()); // '' means none
        Request {
            body: request.body.or_else(|| kept(&self.body_column)),
            image: request.image.or_else(|| kept(&self.image_column)),
            title: request.title.or_else(|| kept(&self.title_column)),
            author: request.author.or_else(|| kept(&self.author_column)),
            date: request.date.or_else(|| kept(&self.date_column)),
            tags: request.tags.or_else(|| kept(&self.tags_column)),
            key: request.key.or_else(|| Some(self.key_columns.clone())),
            unpublish: request.unpublish.or_else(|| Some(self.unpublish && request.row_filter.as_deref() != Some(""))),
            row_filter: request.row_filter.or_else(|| self.row_filter.clone()),
            draw: request.draw.or_else(|| Some(self.draw.clone())),
            look: request.look.or_else(|| Some(self.look.clone())),
            look_column: request.look_column.or_else(|| kept(&self.look_column)),
            theme: request.theme.or_else(|| self.theme.clone()),
            template: request.template.or_else(|| kept(&self.template)),
            site: request.site.or_else(|| self.site.clone()),
            strict: request.strict.or(Some(self.strict)),
            url: request.url.or_else(|| kept(&self.url)),
            html: request.html.or_else(|| kept(&self.html)),
            data: request.data.or_else(|| Some(self.data())),
            capture: Some(match request.capture {
                Some(named) => page::renewed(&self.capture, named, request.names_options),
                None => self.capture.clone(),
            }),
            names_options: request.names_options,
            status: request.status.or_else(|| kept(&self.status_column)),
        }
    }
}

impl Source {
    /// The columns that were named beside those that the address names by itself.
    fn data(&self) -> Vec<String> {
        let address = self.url.as_deref().unwrap_or_default();
        self.data_columns.iter().filter(|column| !address.contains(&format!("{{{column}}}"))).cloned().collect()
    }
}

/// What [`Source`] is read from, where the row of `tintype.source` is called `s`.
const COLUMNS: &str = "s.*, s.relation::text AS relation_name, tintype.by_browser(s.draw) AS page";

impl From<&Row> for Source {
    fn from(row: &Row) -> Self {
        Self {
            id: row.get("id"),
            name: row.get("name"),
            relation: row.get("relation_name"),
            key_columns: row.get("key_columns"),
            key_types: row.get("key_types"),
            body_column: row.get("body_column"),
            title_column: row.get("title_column"),
            author_column: row.get("author_column"),
            date_column: row.get("date_column"),
            tags_column: row.get("tags_column"),
            image_column: row.get("image_column"),
            row_filter: row.get("row_filter"),
            unpublish: row.get::<_, Option<bool>>("unpublish").unwrap_or_default(),
            draw: row.get("draw"),
            look: row.get("look"),
            look_column: row.get("look_column"),
            theme: row.get("theme"),
            template: row.get("template"),
            site: row.get("site"),
            strict: row.get::<_, Option<bool>>("strict").unwrap_or_default(),
            url: row.get("url"),
            html: row.get("html"),
            data_columns: row.get("data_columns"),
            capture: row.get("capture"),
            status_column: row.get("status_column"),
            page: row.get("page"),
            paused: row.get::<_, Option<bool>>("paused").unwrap_or_default(),
        }
    }
}

/// The arguments of `tintype.attach` and `tintype.plan`, in order, after the table.
const ARGUMENTS: &str = "tintype.find_table($1), body => $2, image => $3, title => $4, author => $5, date => $6, tags => $7, \
                         key => $8, row_filter => $9, draw => $10, look => $11, theme => $12, site => $13, look_column => $14, template => $15, \
                         strict => $16, unpublish => coalesce($17, false), url => $18, html => $19, data => $20, capture => $21, status => $22";

/// What `attach` would store, checked and completed, without storing it.
pub async fn plan(client: &impl Queries, table: &str, request: &Request) -> Result<Source, DbError> {
    call(client, "tintype.plan", table, request).await
}

/// Watches a table.
pub async fn attach(client: &impl Queries, table: &str, request: &Request) -> Result<Source, DbError> {
    call(client, "tintype.attach", table, request).await
}

async fn call(client: &impl Queries, function: &str, table: &str, request: &Request) -> Result<Source, DbError> {
    let row = client
        .query_one(
            &format!("SELECT {COLUMNS} FROM {function}({ARGUMENTS}) s"),
            &[
                &table,
                &request.body,
                &request.image,
                &request.title,
                &request.author,
                &request.date,
                &request.tags,
                &request.key,
                &request.row_filter,
                &request.draw,
                &request.look,
                &request.theme,
                &request.site,
                &request.look_column,
                &request.template,
                &request.strict,
                &request.unpublish,
                &request.url,
                &request.html,
                &request.data,
                &request.capture.as_ref().map(Json),
                &request.status,
            ],
        )
        .await?;
    Ok(Source::from(&row))
}

/// The statements that would make a planned source's triggers.
pub async fn trigger_sql(client: &impl Queries, source: &Source) -> Result<String, DbError> {
    let mut planned = serde_json::json!(source);
    if let Some(fields) = planned.as_object_mut().filter(|_| source.id.is_none()) {
        fields.remove("id"); // the next number stands for it
    }
    let row = client
        .query_one(
            "SELECT tintype.trigger_sql(jsonb_populate_record(next, $1::jsonb)) FROM tintype.source_id_seq q,
                    jsonb_populate_record(NULL::tintype.source, jsonb_build_object('id', q.last_value + q.is_called::integer)) next",
            &[&Json(planned)],
        )
        .await?;
    Ok(row.get(0))
}

/// Stops watching a table, which may be dropped already: then its name as it was attached finds it.
pub async fn detach(client: &impl Queries, table: &str) -> Result<(), DbError> {
    client
        .execute(
            "SELECT tintype.detach(coalesce((SELECT s.relation FROM tintype.source s WHERE s.name = $1), tintype.find_table($1)))",
            &[&table],
        )
        .await?;
    Ok(())
}

/// The row filter that would keep drafts of a table without a picture, where one of its columns looks like it.
pub async fn draft_filter(client: &impl Queries, table: &str) -> Result<Option<String>, DbError> {
    Ok(client.query_one("SELECT tintype.draft_filter(tintype.find_table($1))", &[&table]).await?.get(0))
}

/// Whether changes of an attached table may have gone unmarked, because a trigger is gone or switched off.
pub async fn unwatched(client: &impl Queries, source: &Source) -> Result<bool, DbError> {
    let sql = "SELECT tintype.unwatched(s) FROM tintype.source s WHERE s.id = $1";
    Ok(client.query_one(sql, &[&source.id]).await?.get(0))
}

/// Stops the drawing for an attached table; takes its triggers away as well where that is wanted.
pub async fn pause(client: &impl Queries, table: &str, triggers: bool) -> Result<(), DbError> {
    client.execute("SELECT tintype.pause(tintype.find_table($1), $2)", &[&table, &triggers]).await
}

/// Goes on with it; returns whether its triggers had to be made again.
pub async fn resume(client: &impl Queries, table: &str) -> Result<bool, DbError> {
    let row = client.query_one("SELECT tintype.resume(tintype.find_table($1))", &[&table]).await?;
    Ok(row.get(0))
}

/// All attached tables, by name.
pub async fn all(client: &impl Queries) -> Result<Vec<Source>, DbError> {
    let rows = client.query(&format!("SELECT {COLUMNS} FROM tintype.source s ORDER BY s.name"), &[]).await?;
    Ok(rows.iter().map(Source::from).collect())
}

/// The attached table that a person means by `table`; an error where it is not attached.
pub async fn find(client: &impl Queries, table: &str) -> Result<Source, DbError> {
    let row = client
        .query_one(&format!("SELECT {COLUMNS} FROM tintype.attached(tintype.find_table($1)) s"), &[&table])
        .await?;
    Ok(Source::from(&row))
}

/// The same, or `None` where it is not attached.
pub async fn lookup(client: &impl Queries, table: &str) -> Result<Option<Source>, DbError> {
    let row = client
        .query_opt(
            &format!("SELECT {COLUMNS} FROM tintype.source s WHERE s.relation = tintype.find_table($1)"),
            &[&table],
        )
        .await?;
    Ok(row.as_ref().map(Source::from))
}

/// The name of a source by its number.
pub async fn name(client: &impl Queries, id: i32) -> Result<String, DbError> {
    let row = client.query_opt("SELECT name FROM tintype.source WHERE id = $1", &[&id]).await?;
    Ok(row.map_or_else(|| format!("source {id}"), |row| row.get(0)))
}

/// What row-level security keeps from a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyTrouble {
    /// Whether no row of the table can have its picture.
    pub broken: bool,
    /// What is hidden, and from whom.
    pub words: String,
    /// The policy that would help.
    pub hint: String,
}

/// What policies keep from the roles that work on one table, or from this role in all of them.
pub async fn policy_troubles(client: &impl Queries, table: Option<&str>) -> Result<Vec<PolicyTrouble>, DbError> {
    let rows = client.query(include_str!("../sql/queries/policy_troubles.sql"), &[&table]).await?;
    let trouble =
        |row: &Row| PolicyTrouble { broken: row.get("broken"), words: row.get("words"), hint: row.get("hint") };
    Ok(rows.iter().map(trouble).collect())
}

/// The statements that would give the roles of `install --roles` what a planned source takes; none where there are no such roles.
pub async fn grants(client: &impl Queries, source: &Source) -> Result<Vec<String>, DbError> {
    let rows = client
        .query(
            "SELECT m.statement FROM jsonb_populate_record(NULL::tintype.source, $1) s, tintype.worker_roles() r, tintype.missing_grants(s, r) m",
            &[&Json(source)],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
