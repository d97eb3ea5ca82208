//! `tintype attach` and `tintype detach`.

use serde_json::json;

use super::{
    Context, pages,
    terminal::{confirm, print, print_json, say},
};
use crate::{
    card::{self, Looks},
    cli::{Attach, Columns, Detach},
    db::Queries,
    error::Error,
    install::patiently,
    page::Gallery,
    source::{self, Request, Source},
};

pub(super) async fn attach(context: &Context, flags: &Attach) -> Result<(), Error> {
    refuse_paths(&flags.columns)?;
    let request = request(&flags.columns, context.config.looks(&flags.columns.looks)?)?;
    let request = Request { strict: flags.strict, status: flags.status_column.clone(), ..request };
    let db = context.installed().await?;
    let client = db.get().await?;
    let attached = source::lookup(&client, &flags.table).await?;
    let unwatched = match &attached {
        Some(attached) => source::unwatched(&client, attached).await?,
        None => false,
    };
    let request = match attached {
        Some(attached) => attached.with(request), // attached again: what is not named stays as it is
        None => request,
    };
    let planned = source::plan(&client, &flags.table, &request).await?;
    if let Some(name) = &planned.html {
        let gallery = Gallery { looks: context.config.looks(&flags.columns.looks)?, ..Gallery::default() };
        gallery.try_template(name, &planned.data_columns).map_err(|error| Error::Usage {
            what: error.to_string(),
            hint: "--looks DIR names the directory that has it; docs/PAGES.md says what a template may name".to_owned(),
        })?;
    }
    if flags.dry_run {
        return rehearse(&client, &planned, flags.json).await;
    }
    if flags.json {
        let source = patiently(async || source::attach(&client, &flags.table, &request).await).await?;
        print_json(&source);
        return Ok(());
    }
    show(&planned);
    if planned.row_filter.is_none()
        && let Some(filter) = source::draft_filter(&client, &flags.table).await?
    {
        say(&format!(
            "rows    all of them; --where '{filter}' keeps drafts out, and with --unpublish takes a picture back"
        ));
    }
    let proposed = flags.columns.body.is_none() && flags.columns.title.is_none();
    confirm(&format!("Watch {} like this?", planned.name), flags.yes || !proposed)?;
    let source = patiently(async || source::attach(&client, &flags.table, &request).await).await?;
    say(&format!("watching {}; new and changed rows will get their pictures", source.name));
    if unwatched {
        say("a trigger was missing or switched off: the sweep begins now and finds what was edited meanwhile");
    }
    for trouble in source::policy_troubles(&client, Some(&source.name)).await? {
        say(&format!("warning: {}", trouble.words));
        say(&format!("  hint: {}", trouble.hint));
    }
    say(&format!("next: tintype backfill {}   (for the rows that are there already)", source.name));
    say("      tintype run --storage s3://bucket/prefix   (or a folder)");
    Ok(())
}

/// What would be done: the plan, and the SQL of it.
async fn rehearse(client: &impl Queries, planned: &Source, as_json: bool) -> Result<(), Error> {
    let (triggers, grants) = (source::trigger_sql(client, planned).await?, source::grants(client, planned).await?);
    if as_json {
        let mut told = json!(planned);
        told["sql"] = json!(triggers);
        told["grants"] = json!(grants);
        print_json(&told);
        return Ok(());
    }
    show(planned);
    print(&triggers);
    for grant in &grants {
        print(grant);
    }
    Ok(())
}

pub(super) async fn detach(context: &Context, flags: &Detach) -> Result<(), Error> {
    let db = context.installed().await?;
    let client = db.get().await?;
    patiently(async || source::detach(&client, &flags.table).await).await?;
    say(&format!("no longer watching {}; URLs in rows and stored pictures stay", flags.table));
    Ok(())
}

/// Refuses the path of a look, a template or a theme, which would mean nothing to a worker.
fn refuse_paths(columns: &Columns) -> Result<(), Error> {
    let look = columns.look.as_ref().filter(|name| Looks::is_path(name));
    let template = columns.template.as_ref().filter(|name| Looks::is_template_path(name));
    match look.or(template).or(columns.theme.as_ref().filter(|name| name.contains('/'))) {
        None => Ok(()),
        Some(path) => Err(Error::Usage {
            what: format!("{path} is a path, and a worker finds looks, themes and templates by their names"),
            hint: "put the file into the directory that --looks names, and leave out all but its name".to_owned(),
        }),
    }
}

/// The flags as a request; look, theme and template must exist here, before a worker meets them.
pub(super) fn request(columns: &Columns, looks: Looks) -> Result<Request, Error> {
    let defaults = card::Options::default();
    let look = columns.look.clone().unwrap_or_else(|| defaults.look.clone());
    let named = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
    let (theme, template) = (named(&columns.theme), named(&columns.template));
    card::Renderer::new(&card::Options { look, looks, theme, template, ..defaults })?;
    Ok(Request {
        body: columns.body.clone(),
        image: columns.image.clone(),
        title: columns.title.clone(),
        author: columns.author.clone(),
        date: columns.date.clone(),
        tags: columns.tags.clone(),
        key: columns.key.clone(),
        row_filter: columns.row_filter.clone(),
        unpublish: columns.unpublish,
        draw: columns.draw.map(|draw| draw.word().to_owned()),
        look: columns.look.clone(),
        look_column: columns.look_column.clone(),
        theme: columns.theme.clone(),
        template: columns.template.clone(),
        site: columns.site.clone(),
        strict: None,
        status: None,
        url: columns.pages.url.clone(),
        html: columns.pages.html.clone(),
        data: columns.pages.data.clone(),
        capture: pages::options(&columns.pages)?,
        names_options: !columns.pages.capture.is_empty(),
    })
}

/// The plan, a line a role.
fn show(source: &Source) {
    let none = "(none)";
    let or_none = |column: &Option<String>| column.clone().unwrap_or_else(|| none.to_owned());
    say(&format!("table   {}", source.relation));
    say(&format!("key     {}", source.key_columns.join(", ")));
    say(&format!("title   {}", or_none(&source.title_column)));
    say(&format!("body    {}", or_none(&source.body_column)));
    say(&format!("author  {}", or_none(&source.author_column)));
    say(&format!("date    {}", or_none(&source.date_column)));
    say(&format!("tags    {}", or_none(&source.tags_column)));
    let image = source.image_column.clone().unwrap_or_else(|| "(none: the URL lives in tintype.image)".to_owned());
    say(&format!("image   {image}"));
    if let Some(column) = &source.status_column {
        say(&format!(
            "status  {column}: processing, then ready, failed or skipped; one more update of the row a picture"
        ));
    }
    if let Some(filter) = &source.row_filter {
        let lose = if source.unpublish { "; a row that leaves it loses its URL" } else { "" };
        say(&format!("where   {filter}{lose}"));
    }
    if source.strict {
        say("strict  a write fails where its mark cannot be made");
    }
    let row_look = source.look_column.as_ref().map(|column| format!(" or what column {column} names"));
    let template = source.template.as_ref().map(|name| format!(", template {name}"));
    let (row_look, template) = (row_look.unwrap_or_default(), template.unwrap_or_default());
    let page = source.url.as_ref().or(source.html.as_ref());
    match page {
        Some(page) => say(&format!("draw    {} {page}", source.draw)),
        None => say(&format!("draw    {}, look {}{row_look}{template}", source.draw, source.look)),
    }
    if source.capture.as_object().is_some_and(|options| !options.is_empty()) {
        say(&format!("capture {}", source.capture));
    }
}
