//! Paths of objects, URLs, folders, and what settings may say. Buckets are tried against a server in `tests/it/s3.rs`.

use std::collections::HashMap;

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as Answer;
use aws_sdk_s3::config::{ProvideCredentials, SharedCredentialsProvider};

use super::*;

fn settings(url: &str) -> StorageSettings {
    StorageSettings {
        url: url.to_owned(),
        region: Some("eu-west-1".to_owned()),
        credentials: Some(AccessKey { id: "id".to_owned(), secret: "hidden".to_owned(), session_token: None }),
        ..StorageSettings::default()
    }
}

#[test]
fn plain_sources_and_keys_stay_readable() {
    for (source, key, expected) in [
        ("posts", "42", "posts/42/"),
        ("public.posts", "018f-aa_b", "public.posts/018f-aa_b/"),
        ("Posts", "42", "posts-"),
        ("posts", "a b", "posts/a-b-"),
        ("posts", "../../etc/passwd", "posts/etc-passwd-"),
        ("posts", "日本語", "posts/"),
    ] {
        let path = object_path(source, key, "c", "t", "png");
        assert!(path.starts_with(expected) && path.split('.').next_back() == Some("png"), "{path}");
    }
}

#[test]
fn no_two_pictures_share_a_path() {
    let long = "k".repeat(10_000);
    let longer = "k".repeat(10_001);
    let suffixed = object_path("posts", "a b", "c", "t", "png").split('/').nth(1).unwrap_or_default().to_owned();
    let keys = [
        "",
        "a",
        "A",
        "a b",
        "a-b",
        "a/b",
        "a\\b",
        "a%20b",
        "..",
        ".",
        "...",
        "a..b",
        ".a",
        "a.",
        "-a",
        "é",
        "e\u{301}",
        "日本",
        "日本語",
        "a\0b",
        "a\nb",
        "(1,2)",
        "1,2",
        "12",
        "{\"a\":1}",
        "👩‍👩‍👧",
        "0123456789abcdef",
        "İ",
        "i",
        "ß",
        "ss",
        &suffixed,
        &long,
        &longer,
    ];
    let mut seen = HashMap::new();
    for source in ["posts", "Posts", "public.posts", "posts/a", ""] {
        for key in keys {
            let mut folders = std::collections::HashSet::new();
            for (content, template) in [("c", "t"), ("ct", ""), ("", "ct"), ("C", "t")] {
                let path = object_path(source, key, content, template, "png");
                let fits = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_' | '.' | '/');
                assert!(path.chars().all(fits) && path.len() <= 210, "{path}");
                assert!(path::is_safe(&path) && path.split('/').count() == 3, "{path}");
                folders.insert(path.rsplit_once('/').map(|(folder, _)| folder.to_owned()));
                let before = seen.insert(path.clone(), (source, key, content, template));
                assert_eq!(before, None, "{path}");
                assert_eq!(path, object_path(source, key, content, template, "png"));
            }
            assert_eq!(folders.len(), 1, "a row's pictures lie together");
        }
    }
    let folders: std::collections::HashSet<_> =
        seen.keys().filter_map(|path| path.rsplit_once('/').map(|(folder, _)| folder)).collect();
    assert_eq!(folders.len(), 5 * keys.len(), "no two rows share a folder");
}

#[tokio::test]
async fn a_folder_holds_whole_files_under_their_names() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("new folder");
    let store = Storage::open(&StorageSettings { url: root.display().to_string(), ..StorageSettings::default() })
        .await
        .unwrap();
    assert!(!root.exists(), "opening writes nothing");
    for bytes in [b"one".as_slice(), b"two", b"two"] {
        let object = store.put("posts/ä b/1.png", bytes.to_vec(), "image/png").await.unwrap();
        assert_eq!(std::fs::read(root.join(&object.key)).unwrap(), bytes);
        assert_eq!(object.url, store.url("posts/ä b/1.png"));
        assert_eq!(url::Url::parse(&object.url).unwrap().to_file_path().unwrap(), root.join("posts/ä b/1.png"));
    }
    let files: Vec<_> = std::fs::read_dir(root.join("posts/ä b")).unwrap().collect();
    assert_eq!(files.len(), 1, "no temporary file is left: {files:?}");
    #[cfg(unix)]
    {
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&files[0].as_ref().unwrap().metadata().unwrap().permissions());
        assert_eq!(mode & 0o600, 0o600);
        assert_ne!(mode & 0o044, 0, "a web server may read it");
    }
    store.check().await.unwrap();
}

#[tokio::test]
async fn a_path_cannot_leave_its_store() {
    let place = tempfile::tempdir().unwrap();
    let folder = Storage::open(&settings(&place.path().display().to_string())).await.unwrap();
    let bucket = Storage::open(&settings("s3://pictures")).await.unwrap();
    for path in ["../a", "a/../../b", "/etc/a", "a//b", "", "a/", ".", "a\\b", "a\0"] {
        for store in [&folder, &bucket] {
            let error = store.put(path, Vec::new(), "image/png").await.unwrap_err();
            assert!(matches!(error, StorageError::BadPath { .. }), "{path}: {error}");
        }
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let store = Storage::open(&settings(&file.path().display().to_string())).await.unwrap();
    let error = store.put("a/b.png", Vec::new(), "image/png").await.unwrap_err();
    assert!(
        matches!(&error, StorageError::Io { action: "create", path, .. } if path.starts_with(file.path())),
        "{error}"
    );
    assert!(error.to_string().contains(&file.path().display().to_string()), "{error}");
}

#[tokio::test]
async fn urls_are_what_the_world_can_reach() {
    let base = |url: &str| Some(url.to_owned());
    let cases = [
        (settings("s3://pictures"), "https://pictures.s3.eu-west-1.amazonaws.com/a%20%C3%A4.png"),
        (settings("s3://pictures/og/x/"), "https://pictures.s3.eu-west-1.amazonaws.com/og/x/a%20%C3%A4.png"),
        (settings("s3://my.pictures"), "https://s3.eu-west-1.amazonaws.com/my.pictures/a%20%C3%A4.png"),
        (
            StorageSettings { region: base("cn-north-1"), ..settings("s3://pictures") },
            "https://pictures.s3.cn-north-1.amazonaws.com.cn/a%20%C3%A4.png",
        ),
        (
            StorageSettings { path_style: Some(true), ..settings("s3://pictures") },
            "https://s3.eu-west-1.amazonaws.com/pictures/a%20%C3%A4.png",
        ),
        (
            StorageSettings { endpoint_url: base("http://localhost:9000/"), ..settings("s3://pictures/og") },
            "http://localhost:9000/pictures/og/a%20%C3%A4.png",
        ),
        (
            StorageSettings {
                endpoint_url: base("https://s3.example"),
                path_style: Some(false),
                ..settings("s3://pictures")
            },
            "https://pictures.s3.example/a%20%C3%A4.png",
        ),
        (
            StorageSettings { public_base_url: base("https://cdn.example/"), ..settings("s3://pictures/og") },
            "https://cdn.example/og/a%20%C3%A4.png",
        ),
        (
            StorageSettings { public_base_url: base("https://cdn.example/p"), ..settings("/tmp/pictures") },
            "https://cdn.example/p/a%20%C3%A4.png",
        ),
        (
            StorageSettings { public_base_url: base("/pictures/"), ..settings("/tmp/pictures") },
            "/pictures/a%20%C3%A4.png",
        ),
        (StorageSettings { public_base_url: base("/"), ..settings("/tmp/pictures") }, "/a%20%C3%A4.png"),
        (settings("/tmp/my pictures"), "file:///tmp/my%20pictures/a%20%C3%A4.png"),
        (settings("file:///tmp/my%20pictures"), "file:///tmp/my%20pictures/a%20%C3%A4.png"),
    ];
    for (settings, expected) in cases {
        let store = Storage::open(&settings).await.unwrap();
        assert_eq!(store.url("a ä.png"), expected);
    }
}

#[tokio::test]
async fn settings_that_cannot_be_right_are_refused_at_once() {
    let cases = [
        settings(""),
        settings("s3://"),
        settings("s3://a"),
        settings("s3://pictures/../x"),
        settings("s3://pict?ures/x"),
        settings("gs://pictures"),
        settings("https://pictures.example"),
        StorageSettings { public_base_url: Some("cdn.example".to_owned()), ..settings("/tmp/a") },
        StorageSettings { public_base_url: Some("s3://pictures".to_owned()), ..settings("/tmp/a") },
        StorageSettings { endpoint_url: Some("localhost:9000".to_owned()), ..settings("s3://pictures") },
        StorageSettings { endpoint_url: Some("http://".to_owned()), ..settings("s3://pictures") },
    ];
    for settings in cases {
        let error = Storage::open(&settings).await.unwrap_err();
        assert!(matches!(error, StorageError::BadUrl { .. }) && error.hint().is_some(), "{settings:?}: {error}");
    }
}

#[test]
fn secrets_are_not_shown() {
    let shown = format!("{:?}", settings("s3://pictures"));
    assert!(shown.contains("\"id\"") && !shown.contains("hidden"), "{shown}");
}

#[derive(Debug)]
struct NoKeys;

impl ProvideCredentials for NoKeys {
    fn provide_credentials<'a>(&'a self) -> Answer<'a>
    where
        Self: 'a,
    {
        Answer::ready(Err(CredentialsError::not_loaded("nothing in the environment")))
    }
}

#[tokio::test]
async fn missing_credentials_are_a_situation_of_their_own() {
    let shared = aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(NoKeys))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    let bucket = Bucket::over(&shared, "pictures", "", &settings("s3://pictures")).unwrap();
    let error = bucket.put("a.png", Vec::new(), "image/png").await.unwrap_err();
    assert!(matches!(error, StorageError::NoCredentials { .. }), "{error:?}");
    assert!(error.to_string().contains("nothing in the environment"), "{error}");
}
