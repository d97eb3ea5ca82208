//! The store as a worker and as the world meet it: one small object is put, read back, fetched as anybody would, and deleted.

use std::{io, path::Path, time::Duration};

use hyper::{Request, body::Bytes};

use super::{Finding, Severity, well};
use crate::{
    storage::{Object, Storage, StorageError, object_path},
    web,
};

/// What the object holds.
const TEXT: &[u8] = b"tintype doctor was here\n";

/// How long a fetch may take.
const FETCH_LIMIT: Duration = Duration::from_secs(15);

/// Free space below which a folder will soon be full.
const LITTLE: u64 = 1 << 30;

/// Puts, reads, fetches and deletes.
pub async fn examine(storage: &Storage) -> Vec<Finding> {
    let (place, mut findings) = (storage.to_string(), Vec::new());
    // Called as pictures are, so that whoever serves nothing else in a folder serves it.
    let moment = format!("{} {}", std::process::id(), jiff::Timestamp::now());
    let path = object_path("tintype-doctor", "check", &moment, "", "png");
    let failed = |code, error: &StorageError| {
        let finding = Finding::new(Severity::Error, code, &place, error.to_string());
        match error.hint() {
            Some(hint) => finding.mend(hint),
            None => finding,
        }
    };
    let object = match storage.put(&path, TEXT.to_vec(), "image/png").await {
        Ok(object) => object,
        Err(error) => return vec![failed("storage.put", &error)],
    };
    match storage.find(&path).await {
        Ok(Some(read)) if read == TEXT => {}
        Ok(read) => {
            let words = if read.is_some() {
                "gives back something else than was stored"
            } else {
                "does not have what was just stored"
            };
            findings.push(Finding::new(Severity::Error, "storage.get", &place, format!("the store {words}")));
        }
        // A worker writes; reading and deleting are for what was superseded.
        Err(error @ StorageError::AccessDenied { .. }) => findings.push(spare(failed("storage.get", &error), "")),
        Err(error) => findings.push(failed("storage.get", &error)),
    }
    findings.extend(public(storage, &object).await);
    match storage.delete(&object.key).await {
        Ok(()) => {}
        Err(error @ StorageError::AccessDenied { .. }) => {
            let stays = format!(", and the trial stays as {}", object.key);
            findings.push(spare(failed("storage.delete", &error), &stays));
        }
        Err(error) => findings.push(Finding { severity: Severity::Warning, ..failed("storage.delete", &error) }),
    }
    if let Storage::Folder(folder) = storage {
        findings.extend(space(folder.root()));
    }
    well(
        &mut findings,
        "storage",
        &place,
        format!("a trial was put there and fetched as anybody would; URLs look like {}", object.url),
    );
    findings
}

/// A right that is missing and that only those miss who want superseded pictures deleted.
fn spare(finding: Finding, stays: &str) -> Finding {
    let detail = format!("{}: only --prune-after needs that{stays}", finding.detail);
    Finding { severity: Severity::Note, detail, ..finding }
}

/// Whether anybody can fetch it.
async fn public(storage: &Storage, object: &Object) -> Option<Finding> {
    let (code, url) = ("storage.public", &object.url);
    if url.starts_with('/') {
        let words =
            format!("URLs have no host, such as {url}: whether your own site serves them cannot be tried from here");
        return Some(Finding::new(Severity::Note, code, storage.to_string(), words));
    }
    if !url.starts_with("https:") && !url.starts_with("http:") {
        let words = format!("rows would get URLs that the world cannot follow, such as {url}: run refuses");
        let finding = Finding::new(Severity::Error, code, storage.to_string(), words);
        return Some(
            finding.mend("--public-base-url https://…   # TINTYPE_PUBLIC_BASE_URL: where the folder itself is served"),
        );
    }
    let what = match fetch(url).await {
        Ok((200, body)) if body == TEXT => return None,
        Ok((200, _)) => "answers with something else than was stored".to_owned(),
        Ok((status, _)) => format!("answers {status} to those without keys"),
        Err(error) => format!("cannot be fetched from here: {error}"),
    };
    let fix = match storage {
        Storage::S3(bucket) => format!(
            "add to the bucket's policy: {{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::{}/{}*\"}}   # or a CDN in front, named with --public-base-url",
            bucket.name(),
            storage.prefix()
        ),
        Storage::Folder(folder) => format!("have the server of --public-base-url serve {}", folder.root().display()),
    };
    Some(Finding::new(Severity::Error, code, storage.to_string(), format!("{url} {what}")).mend(fix))
}

/// Fetches it without keys or cookies: status and body.
async fn fetch(url: &str) -> io::Result<(u16, Vec<u8>)> {
    let request = Request::get(url).body(Bytes::new()).map_err(io::Error::other)?;
    let answer = web::send(request, FETCH_LIMIT).await?;
    Ok((answer.status().as_u16(), answer.into_body().to_vec()))
}

/// Whether a folder has room.
fn space(folder: &Path) -> Option<Finding> {
    let stats = rustix::fs::statvfs(folder).ok()?;
    let free = stats.f_bavail.saturating_mul(stats.f_frsize);
    let words = format!("{} MB are free there", free >> 20);
    (free < LITTLE).then(|| {
        Finding::new(Severity::Warning, "storage.space", folder.display().to_string(), words)
            .mend("tintype run --prune-after 30d   # deletes what no row shows any more")
    })
}
