//! `tintype healthcheck`: for images without a shell. The database answers, and the worker of this host is alive.

use super::Context;
use crate::{config, db::Queries, error::Error};

pub(super) async fn healthcheck(context: &Context) -> Result<(), Error> {
    let db = context.installed().await?;
    let name = config::worker_name();
    let host = name.rsplit_once(':').map_or(name.as_str(), |(host, _)| host);
    let row = db
        .get()
        .await?
        .query_one(
            "SELECT EXISTS (SELECT FROM tintype.worker WHERE starts_with(name, $1 || ':') AND seen_at > now() - interval '1 minute')",
            &[&host],
        )
        .await?;
    if row.get(0) { Ok(()) } else { Err(Error::NoWorker) }
}
