//! What a host's write leaves behind: a mark where the picture has to change, none elsewhere, one key a row, and never an error.

mod bell;
mod guard;
mod keys;
mod marks;
mod surroundings;

use tokio_postgres::Client;

use crate::support::schema::{run, texts};

/// A host's table, watched in most of the ways there are.
const POSTS: &str = "
    CREATE TABLE public.posts (
        id bigint PRIMARY KEY, title text, body text NOT NULL, author text, published boolean NOT NULL DEFAULT true,
        slug text, views integer NOT NULL DEFAULT 0, og_image_url text);
    INSERT INTO public.posts (id, title, body) SELECT i, 'Post ' || i, 'Body of ' || i FROM generate_series(1, 3) i;";

const ATTACH: &str = "SELECT tintype.attach('public.posts', row_filter => 'published');";

/// The host's table, attached, with nothing marked yet.
async fn posts(client: &Client) {
    run(client, "the host's table", POSTS).await;
    run(client, "attach", ATTACH).await;
}

/// The keys that are marked, a line a mark, in order; then forgets them.
async fn marked(client: &Client) -> Vec<String> {
    let mut keys = texts(client, "DELETE FROM tintype.change RETURNING key").await;
    keys.sort();
    keys
}
