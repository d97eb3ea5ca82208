//! What is refused before anything listens: addresses that others can reach, without a word that lets them in.

use crate::support::{
    program::{command, run, tintype},
    schema::installed,
};

#[tokio::test]
async fn addresses_that_others_reach_need_a_token() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let ran = tintype("postgres://nobody@127.0.0.1:1/none", &["run", "--storage", "/tmp", "--http", address]).await;
        assert_eq!(ran.code, 3, "{ran:?}");
        assert_eq!(
            ran.error(),
            format!("--http {address} would show rows and their pictures to everybody who reaches it")
        );
        assert!(ran.hint().contains("TINTYPE_HTTP_TOKEN=$(openssl rand -hex 32)"), "{ran:?}");
        assert!(ran.hint().contains("--http-probes"), "{ran:?}");
    }
    for (arguments, error) in [
        (&["--http", "nowhere"][..], "`nowhere` is not an address to serve on"),
        (&["--http", "0.0.0.0:0", "--http-token", "short"], "TINTYPE_HTTP_TOKEN has fewer than 16 characters"),
        (&["--http", "4600", "--card-secret", "short"], "TINTYPE_CARD_SECRET has fewer than 16 characters"),
    ] {
        let arguments = [&["run", "--storage", "/tmp"], arguments].concat();
        let ran = tintype("postgres://nobody@127.0.0.1:1/none", &arguments).await;
        assert!(ran.code == 3 && ran.error().starts_with(error) && !ran.hint().is_empty(), "{arguments:?}: {ran:?}");
    }
}

#[tokio::test]
async fn an_address_that_is_taken_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = tintype("postgres://nobody@127.0.0.1:1/none", &["run", "--storage", "/tmp", "--http", &address]).await;
    assert!(ran.code == 1 && ran.error().starts_with(&format!("cannot listen on {address}")), "{ran:?}");
    assert_eq!(ran.hint(), "--http 127.0.0.1:PORT names another");
}

#[tokio::test]
async fn settings_come_from_variables_and_files_too() {
    let (test, _client) = installed().await;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (token, short) = (write("token", "a token of the tests\n"), write("short", "short\n"));
    let settings = write("tintype.toml", "http = \"0.0.0.0:0\"\n");
    let probes = write("probes.toml", "http = \"0.0.0.0:0\"\nhttp_probes = true\n");
    for (variables, code) in [
        (&[("TINTYPE_CONFIG", settings.as_str())][..], 3),
        (&[("TINTYPE_CONFIG", &probes)], 0),
        (&[("TINTYPE_HTTP", "0.0.0.0:0")], 3),
        (&[("TINTYPE_HTTP", "0.0.0.0:0"), ("TINTYPE_HTTP_TOKEN_FILE", &token)], 0),
        (&[("TINTYPE_HTTP", "0.0.0.0:0"), ("TINTYPE_HTTP_TOKEN_FILE", &short)], 3),
        (&[("TINTYPE_HTTP", "0.0.0.0:0"), ("TINTYPE_HTTP_TOKEN", "another token of the tests")], 0),
        (&[("TINTYPE_HTTP", "0.0.0.0:0"), ("TINTYPE_HTTP_PROBES", "true")], 0),
        (&[("TINTYPE_HTTP", "127.0.0.1:0"), ("TINTYPE_CARD_SECRET_FILE", &short)], 3),
        (&[("TINTYPE_HTTP", "")], 0),
    ] {
        let mut command = command(&["run", "--exit-when-idle", "--log", "error"]);
        command.env("DATABASE_URL", test.url()).env("TINTYPE_STORAGE", folder.path());
        command.env("TINTYPE_PUBLIC_BASE_URL", "https://cdn.example").envs(variables.iter().copied());
        let ran = run(command).await;
        assert_eq!(ran.code, code, "{variables:?}: {ran:?}");
    }
}
