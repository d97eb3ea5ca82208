//! `tintype attach` and `tintype detach`.

use super::{
    Context,
    terminal::{confirm, print, print_json, say},
};
use crate::{
    card,
    cli::{Attach, Columns, Detach},
    error::Error,
    install::patiently,
    picture,
    source::{self, Request, Source},
};

pub(super) async fn attach(context: &Context, flags: &Attach) -> Result<(), Error> {
    let request = request(&flags.columns)?;
    let db = context.installed().await?;
    let client = db.get().await?;
    let request = match source::lookup(&client, &flags.table).await? {
        Some(attached) => attached.with(request), // attached again: what is not named stays as it is
        None => request,
    };
    let planned = source::plan(&client, &flags.table, &request).await?;
    if flags.dry_run {
        show(&planned);
        print(&source::trigger_sql(&client, &planned).await?);
        return Ok(());
    }
    if flags.json {
        let source = patiently(async || source::attach(&client, &flags.table, &request).await).await?;
        print_json(&source);
        return Ok(());
    }
    show(&planned);
    let proposed = flags.columns.body.is_none() && flags.columns.title.is_none();
    confirm(&format!("Watch {} like this?", planned.name), flags.yes || !proposed)?;
    let source = patiently(async || source::attach(&client, &flags.table, &request).await).await?;
    say(&format!("watching {}; new and changed rows will get their pictures", source.name));
    say(&format!("next: tintype backfill {}   (for the rows that are there already)", source.name));
    say("      tintype run --storage s3://bucket/prefix   (or a folder)");
    Ok(())
}

pub(super) async fn detach(context: &Context, flags: &Detach) -> Result<(), Error> {
    let db = context.installed().await?;
    let client = db.get().await?;
    patiently(async || source::detach(&client, &flags.table).await).await?;
    say(&format!("no longer watching {}; URLs in rows and stored pictures stay", flags.table));
    Ok(())
}

/// The flags as a request; look and theme must exist here, before a worker meets them.
pub(super) fn request(columns: &Columns) -> Result<Request, Error> {
    let look = columns.look.clone().unwrap_or_else(|| card::Options::default().look);
    let options = card::Options { look, theme: columns.theme.clone(), scale: 1 };
    card::Renderer::new(&options)?;
    Ok(Request {
        body: columns.body.clone(),
        image: columns.image.clone(),
        title: columns.title.clone(),
        author: columns.author.clone(),
        date: columns.date.clone(),
        tags: columns.tags.clone(),
        key: columns.key.clone(),
        row_filter: columns.row_filter.clone(),
        draw: columns.draw.map(|draw| picture::Draw::from(draw).to_string()),
        look: columns.look.clone(),
        theme: columns.theme.clone(),
        site: columns.site.clone(),
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
    if let Some(filter) = &source.row_filter {
        say(&format!("where   {filter}"));
    }
    say(&format!("draw    {}, look {}", source.draw, source.look));
}
