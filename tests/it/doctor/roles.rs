//! The doctor among roles: the worker may ask it, whoever asks learns what the worker lacks, and a stranger what he lacks himself.

use serde_json::Value;

use super::{lines, of};
use crate::{
    roles::Team,
    support::{program::tintype, schema::run},
};

async fn doctor(url: &str) -> Vec<Value> {
    lines(&tintype(url, &["doctor", "--no-storage", "--json"]).await)
}

#[tokio::test]
async fn the_worker_may_ask_and_everybody_learns_what_it_lacks() {
    let team = Team::attached().await;
    for one in ["worker", "installer"] {
        let all = doctor(&team.url(one)).await;
        assert_eq!(of(&all, "rights")[0]["severity"], "ok", "{one}: {all:?}");
        assert!(of(&all, "tables.unknown").is_empty() && of(&all, "schema")[0]["severity"] == "ok", "{one}: {all:?}");
    }
    let (worker, host) = (team.role("worker"), team.role("host"));
    let cases = [
        (format!("REVOKE SELECT (body) ON blog.posts FROM {worker}"), "rights.columns", "may not read body"),
        (
            format!("REVOKE UPDATE (og_image_url) ON blog.posts FROM {worker}"),
            "rights.columns",
            "may not write og_image_url",
        ),
        (format!("REVOKE USAGE ON SCHEMA blog FROM {worker}"), "rights.schema", "may not look into schema blog"),
        ("ALTER TABLE blog.posts ENABLE ROW LEVEL SECURITY".to_owned(), "rights.policy", "hides every row"),
    ];
    for (sql, code, words) in cases {
        team.admin(&sql).await;
        for one in ["installer", "worker"] {
            let all = doctor(&team.url(one)).await;
            let [finding] = of(&all, code)[..] else { panic!("{sql}, {one}: {all:?}") };
            assert!(finding["detail"].as_str().unwrap().contains(words) && finding["severity"] == "error", "{finding}");
            if one == "worker" {
                let fix = finding["fix"].as_str().unwrap();
                run(&team.admin, code, &format!("SET ROLE {host}; {fix} RESET ROLE")).await;
                let all = doctor(&team.url(one)).await;
                assert_eq!(of(&all, "rights")[0]["severity"], "ok", "{fix}: {all:?}");
            }
        }
    }
    team.leave().await;
}

#[tokio::test]
async fn a_stranger_is_told_that_he_may_not_look() {
    let team = Team::attached().await;
    let ran = tintype(&team.url("stranger"), &["doctor", "--no-storage", "--json"]).await;
    let all = lines(&ran);
    let [denied] = of(&all, "schema.denied")[..] else { panic!("{ran:?}") };
    let grant = format!("GRANT {} TO {};   -- as an administrator", team.role("worker"), team.role("stranger"));
    assert_eq!((denied["fix"].as_str(), ran.code), (Some(&*grant), 3), "the role that is there, whatever its name");
    let ran = tintype(&team.url("stranger"), &["status"]).await;
    assert_eq!((ran.hint(), ran.code), (&*grant, 3), "{ran:?}");
    let ran = tintype(&team.url("worker"), &["attach", "blog.posts", "--yes"]).await;
    assert!(ran.code == 3 && ran.hint().contains("docs/ROLES.md"), "{ran:?}");
    team.leave().await;
}
