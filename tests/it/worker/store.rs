//! What comes of a store: one that fails, one that cannot be written, one that the world has no way to.

use super::{ask, open, write};
use crate::support::worker::{until, until_asleep, until_drawn};

#[tokio::test]
async fn a_store_that_fails_keeps_jobs_until_it_is_back() {
    let (_database, client, workplace) = open().await;
    let _worker = workplace.start(&[]);
    until_asleep(&client).await;
    std::fs::remove_dir_all(workplace.store()).unwrap();
    std::fs::write(workplace.store(), "a file where the folder was").unwrap();
    write(&client, 1, 1).await;
    until(
        &client,
        "the job is put off with its reason",
        "SELECT bool_or(last_error <> '' AND lease IS NULL) FROM tintype.job",
    )
    .await;
    std::fs::remove_file(workplace.store()).unwrap();
    client.batch_execute("SELECT tintype.retry()").await.unwrap();
    until_drawn(&client).await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_told_at_the_start() {
    let (_database, client, workplace) = open().await;
    write(&client, 1, 1).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut worker = workplace.start_with_store(&file.path().join("pictures"), &["--exit-when-idle"]);
    assert_eq!(worker.exit().await.code(), Some(3), "a matter of configuration");
    assert_eq!(ask::<i64>(&client, "SELECT depth FROM tintype.queue_depth").await, 1, "the job waits for a better one");
}

#[tokio::test]
async fn urls_that_only_this_machine_can_open_are_refused() {
    let (database, _client, workplace) = open().await;
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_tintype"));
    command.args(["run", "--exit-when-idle", "--storage"]).arg(workplace.store()).env("DATABASE_URL", database.url());
    let ran = command.env_remove("TINTYPE_PUBLIC_BASE_URL").output().await.unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.code() == Some(3) && said.contains("hint: --public-base-url https://cdn.example/og"), "{said}");
}
