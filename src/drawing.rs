//! A row and what its source wants of it come in; its picture comes out, or the reason why there is none. Two engines draw: our own
//! paints cards, a browser takes pages. Which of them is said by the source, and whatever goes wrong is this row's failure.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;

use crate::{
    capture::{Chrome, Settings},
    card::{self, CardError, Image, Renderer},
    courtesy,
    failure::Failure,
    page::{Gallery, PageError, Template},
    picture::{self, Draw, Wish},
    post::Post,
    queue::Material,
    studio::{self, Studio},
};

/// How long one card may be on the easel; an ordinary one takes milliseconds.
const DRAWING: Duration = Duration::from_secs(20);

/// How long it may be on its way, with the wait for an easel. A page has the limit that its source gives it, from its own start.
const WAITING: Duration = Duration::from_secs(45);

/// The engines, for all rows.
pub struct Engines {
    /// The renderers of cards, one a look.
    pub studio: Arc<Studio>,
    /// How many cards are drawn at once.
    pub easels: Arc<Semaphore>,
    /// The niceness of the threads that draw them.
    pub nice: i32,
    /// The browser; it runs while there are pages to be taken.
    pub chrome: Chrome,
    /// What pages are made of.
    pub gallery: Gallery,
}

/// Who draws a row.
pub enum Engine {
    /// The renderer of its style.
    Card(Arc<Renderer>),
    /// The browser, with the template of the row's source.
    Page(Template),
}

/// A picture, and what the ledger says of it.
pub struct Drawn {
    /// The picture.
    pub image: Image,
    /// `code`, `title` or `page`.
    pub kind: &'static str,
    /// `native`, or the browser with its version.
    pub engine: String,
    /// The text alternative.
    pub alt: String,
    /// Whether the same row gives the same bytes: a page may say something else tomorrow.
    pub steady: bool,
    /// What it took: a card its thread, a page all of its time with the browser.
    pub took: Duration,
}

impl Engines {
    /// Engines for cards alone, in the built-in looks.
    #[must_use]
    pub fn of_cards(easels: usize) -> Self {
        Self {
            studio: Arc::default(),
            easels: Arc::new(Semaphore::new(easels)),
            nice: courtesy::NICE,
            chrome: Chrome::new(Settings::default()),
            gallery: Gallery::default(),
        }
    }

    /// Who draws a row, and the fingerprint of all that decides its picture besides its content.
    pub async fn choose(&self, material: &Arc<Material>) -> Result<(Engine, String), Failure> {
        if material.page {
            let (gallery, row) = (self.gallery.clone(), Arc::clone(material));
            let template = on_a_thread(move || gallery.template(&row).map_err(Failure::from)).await?;
            let fingerprint = template.fingerprint.clone();
            return Ok((Engine::Page(template), fingerprint));
        }
        let renderer = self.dress(material).await?;
        let template = studio::fingerprint(&renderer, material.style());
        Ok((Engine::Card(renderer), template))
    }

    /// The renderer of a row's style. One that is not made yet reads files and draws art: on a thread for such work.
    async fn dress(&self, material: &Arc<Material>) -> Result<Arc<Renderer>, Failure> {
        if let Some(ready) = self.studio.ready(material.style()) {
            return Ok(ready);
        }
        let (studio, row) = (Arc::clone(&self.studio), Arc::clone(material));
        on_a_thread(move || studio.renderer(row.style()).map_err(|error| look_failure(&row, error))).await
    }

    /// The picture of a row, or why it calls for none.
    pub async fn draw(&self, engine: Engine, material: &Arc<Material>) -> Result<Result<Drawn, String>, Failure> {
        match engine {
            Engine::Card(renderer) => {
                let card = tokio::time::timeout(WAITING, self.paint(renderer, material)).await;
                card.unwrap_or(Err(Failure::Deadline(WAITING)))
            }
            Engine::Page(template) => self.take(template, material).await,
        }
    }

    /// Row → post → card → image, on a thread for such work. A panic is this row's failure and nobody else's.
    async fn paint(&self, renderer: Arc<Renderer>, material: &Material) -> Result<Result<Drawn, String>, Failure> {
        let fields = material.fields();
        let draw = material.draw.parse::<Draw>().unwrap_or_default();
        let (easels, nice) = (Arc::clone(&self.easels), self.nice);
        let easel = easels.acquire_owned().await.map_err(|closed| Failure::Drawing(closed.to_string()))?;
        let drawing = on_a_thread(move || {
            courtesy::give_way(nice);
            let _easel = easel; // given back when the thread is free again, however long anybody waited for it
            let began = Instant::now();
            let wish = Wish { room: renderer.room(), ..Wish::default() };
            let card = match picture::choose_as(&Post::new(fields), draw, &wish) {
                Ok(card) => card,
                Err(skip) => return Ok(Err(skip.to_string())),
            };
            let image = renderer.render(&card).map_err(|error| Failure::Drawing(error.to_string()))?;
            let alt = picture::alt_text(&card, card::language_name);
            let (kind, engine) = (picture::kind(&card), "native".to_owned());
            Ok(Ok(Drawn { image, kind, engine, alt, steady: true, took: began.elapsed() }))
        });
        tokio::time::timeout(DRAWING, drawing).await.unwrap_or(Err(Failure::Slow(DRAWING)))
    }

    /// Row → shot → page → image, in the browser.
    async fn take(&self, template: Template, material: &Arc<Material>) -> Result<Result<Drawn, String>, Failure> {
        let (gallery, row) = (self.gallery.clone(), Arc::clone(material));
        let shot = match on_a_thread(move || Ok(gallery.shot(&row, &template))).await? {
            Ok(shot) => shot,
            Err(error @ PageError::Empty(_)) => return Ok(Err(error.to_string())),
            Err(error) => return Err(error.into()),
        };
        let began = Instant::now();
        let captured = self.chrome.capture(&shot).await?;
        let took = began.elapsed();
        let engine = self.chrome.program().await?.to_string();
        let alt = picture::alt_text_of_page(&captured.title, material.title.as_deref());
        Ok(Ok(Drawn { image: captured.image, kind: "page", engine, alt, steady: false, took }))
    }
}

/// Work that may read files or take a while, on a thread that may wait.
async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|panic| Err(Failure::Drawing(panic.to_string())))
}

/// A look that only a row asks for is that row's affair; everything else about looks is for a person to mend.
fn look_failure(material: &Material, error: CardError) -> Failure {
    match error {
        CardError::UnknownLook { .. } if material.row_look.is_some() => Failure::RowLook(error),
        error => Failure::Look(error),
    }
}
