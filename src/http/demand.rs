//! Pictures that are drawn because somebody asks: so many at once and no more, one drawing for all who ask for the same, on threads of
//! their own number, so that the worker's cards do not wait for them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    card::Image,
    drawing::{Engine, Engines},
    failure::Failure,
    queue::Material,
    studio::Studio,
};

/// How many different pictures may be on their way.
pub(super) const WAITING: usize = 16;

/// How many of them are drawn at once.
const EASELS: usize = 1;

/// When to ask again where there is no room, in seconds.
const LATER: &str = "2";

/// What came of a wish.
#[derive(Clone)]
pub(super) enum Found {
    /// It is stored already.
    Stored(String),
    /// It was drawn.
    Drawn(Arc<Picture>),
    /// There is none, or it cannot be: a status and the reason.
    Nothing(StatusCode, String),
}

/// A picture with the name of its state.
pub(super) struct Picture {
    image: Image,
    /// Of content and look; what is drawn again under it is the same.
    pub(super) tag: String,
}

type Wish = Shared<BoxFuture<'static, Found>>;

/// Who draws on demand.
pub(super) struct Demand {
    engines: Engines,
    places: Arc<Semaphore>,
    wishes: Mutex<HashMap<String, Wish>>,
}

impl Demand {
    pub(super) fn new(studio: Arc<Studio>, nice: i32) -> Self {
        let engines = Engines { studio, nice, ..Engines::of_cards(EASELS) };
        Self { engines, places: Arc::new(Semaphore::new(WAITING)), wishes: Mutex::default() }
    }

    /// What `find` finds, which is done once for all who ask for `name` meanwhile, and to its end whoever leaves.
    pub(super) async fn fulfil(
        self: &Arc<Self>,
        name: String,
        find: impl Future<Output = Found> + Send + 'static,
    ) -> Found {
        let wish = match self.wish(name, find) {
            Ok(wish) => wish,
            Err(full) => return full,
        };
        wish.await
    }

    fn wish(self: &Arc<Self>, name: String, find: impl Future<Output = Found> + Send + 'static) -> Result<Wish, Found> {
        let mut wishes = self.wishes();
        if let Some(wish) = wishes.get(&name) {
            return Ok(wish.clone());
        }
        let full = || Found::Nothing(StatusCode::TOO_MANY_REQUESTS, "too many pictures are asked for".to_owned());
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| full())?;
        let pending = Pending { demand: Arc::clone(self), name: name.clone(), _place: place };
        let work = tokio::spawn(async move {
            let _pending = pending;
            find.await
        });
        let wish = async move {
            work.await.unwrap_or_else(|panic| Found::Nothing(StatusCode::INTERNAL_SERVER_ERROR, panic.to_string()))
        };
        let wish = wish.boxed().shared();
        wishes.insert(name, wish.clone());
        Ok(wish)
    }

    fn wishes(&self) -> MutexGuard<'_, HashMap<String, Wish>> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws a card.
    pub(super) async fn draw(&self, material: Material) -> Found {
        let material = Arc::new(material);
        let drawn = async {
            let (engine, template) = self.engines.choose(&material).await?;
            if matches!(engine, Engine::Page(_)) {
                return Ok(Found::Nothing(StatusCode::SERVICE_UNAVAILABLE, "a page is taken by the worker".to_owned()));
            }
            Ok::<_, Failure>(match self.engines.draw(engine, &material).await? {
                Ok(drawn) => {
                    let tag = format!("{}-{template}", material.content);
                    Found::Drawn(Arc::new(Picture { image: drawn.image, tag }))
                }
                Err(skip) => Found::Nothing(StatusCode::NOT_FOUND, skip),
            })
        };
        drawn.await.unwrap_or_else(|failure| {
            let status = match failure {
                Failure::RowLook(_) | Failure::Look(_) => StatusCode::BAD_REQUEST,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            };
            Found::Nothing(status, failure.to_string())
        })
    }
}

/// A wish that is being fulfilled: it is forgotten at the end, however that comes, and its place is free again.
struct Pending {
    demand: Arc<Demand>,
    name: String,
    _place: OwnedSemaphorePermit,
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.demand.wishes().remove(&self.name);
    }
}

/// What was found, as an answer that caches may keep for `seconds`.
pub(super) fn answer(found: Found, headers: &HeaderMap, seconds: u32) -> Response {
    let kept = [(header::CACHE_CONTROL, format!("public, max-age={seconds}"))];
    match found {
        Found::Stored(url) => (kept, Redirect::temporary(&url)).into_response(),
        Found::Drawn(picture) => {
            let tag = format!("\"{}\"", picture.tag);
            let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
            let same = known.is_some_and(|tags| tags.split(',').any(|one| one.trim().trim_start_matches("W/") == tag));
            let tag = [(header::ETAG, tag)];
            if same {
                return (StatusCode::NOT_MODIFIED, kept, tag).into_response();
            }
            let media_type = [(header::CONTENT_TYPE, picture.image.media_type)];
            (kept, tag, media_type, picture.image.bytes.clone()).into_response()
        }
        Found::Nothing(status, words) if status == StatusCode::TOO_MANY_REQUESTS || status.as_u16() == 503 => {
            (status, [(header::RETRY_AFTER, LATER)], format!("{words}\n")).into_response()
        }
        Found::Nothing(status, words) => (status, format!("{words}\n")).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wish_whose_drawing_panics_is_forgotten() {
        let demand = Arc::new(Demand::new(Arc::default(), 0));
        for _ in 0..=WAITING {
            let found = demand.fulfil("a card".to_owned(), async { panic!("a drawing that fails") }).await;
            assert!(matches!(found, Found::Nothing(StatusCode::INTERNAL_SERVER_ERROR, _)));
            assert!(demand.wishes().is_empty());
        }
        let found = demand.fulfil("a card".to_owned(), async { Found::Stored("/pictures/1".to_owned()) }).await;
        assert!(matches!(found, Found::Stored(_)), "it is drawn anew");
    }
}
