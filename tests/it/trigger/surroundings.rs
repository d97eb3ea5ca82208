//! The host's session decides nothing: neither its role, nor its `search_path`.

use super::{marked, posts};
use crate::support::schema::{installed, run, text, texts};

#[tokio::test]
async fn a_role_without_any_right_in_schema_tintype_writes_as_before() {
    let (_test, client) = installed().await;
    posts(&client).await;
    run(
        &client,
        "role",
        "BEGIN; CREATE ROLE app_writer; GRANT SELECT, INSERT, UPDATE ON posts TO app_writer; SET ROLE app_writer",
    )
    .await;
    let rights = "SELECT has_schema_privilege('tintype', 'USAGE')::text";
    assert_eq!(text(&client, rights).await, "false");
    run(&client, "insert", "INSERT INTO posts (id, body) VALUES (9, 'x')").await;
    run(&client, "update", "UPDATE posts SET body = 'y' WHERE id = 1").await;
    run(&client, "back", "RESET ROLE").await;
    assert_eq!(marked(&client).await, ["1", "9"]);
    run(&client, "no role stays", "ROLLBACK").await;
}

/// Everything that the trigger function names, once more in a schema that comes first.
const SHADOWS: &str = "
    CREATE SCHEMA evil;
    CREATE TABLE evil.caught (what text);
    CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN INSERT INTO evil.caught VALUES ('now'); RETURN '-infinity'; END $$;
    CREATE FUNCTION evil.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN INSERT INTO evil.caught VALUES ('clock'); RETURN '-infinity'; END $$;
    CREATE FUNCTION evil.date_part(text, timestamptz) RETURNS double precision LANGUAGE plpgsql AS $$ BEGIN INSERT INTO evil.caught VALUES ('date_part'); RETURN 0; END $$;
    CREATE FUNCTION evil.timezone(text, timestamptz) RETURNS timestamp LANGUAGE plpgsql AS $$ BEGIN INSERT INTO evil.caught VALUES ('timezone'); RETURN '2000-01-01'; END $$;
    CREATE FUNCTION evil.to_jsonb(timestamp) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN INSERT INTO evil.caught VALUES ('to_jsonb'); RETURN '\"x\"'; END $$;
    CREATE FUNCTION evil.pg_notify(text, text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO evil.caught VALUES ('pg_notify'); END $$;
    CREATE FUNCTION evil.pg_sequence_last_value(regclass) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN INSERT INTO evil.caught VALUES ('last_value'); RETURN 0; END $$;
    CREATE FUNCTION evil.\"different\"(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO evil.caught VALUES ('bigint operator'); RETURN false; END $$;
    CREATE FUNCTION evil.\"different\"(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO evil.caught VALUES ('text operator'); RETURN true; END $$;
    CREATE FUNCTION evil.\"different\"(jsonb, text[]) RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO evil.caught VALUES ('jsonb operator'); RETURN 'x'; END $$;
    CREATE OPERATOR evil.> (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.\"different\");
    CREATE OPERATOR evil.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.\"different\");
    CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.\"different\");
    CREATE OPERATOR evil.#>> (LEFTARG = jsonb, RIGHTARG = text[], FUNCTION = evil.\"different\");
    CREATE DOMAIN evil.text AS pg_catalog.text CHECK (false);
    CREATE DOMAIN evil.int8 AS pg_catalog.int8 CHECK (false);
    CREATE DOMAIN evil.regclass AS pg_catalog.regclass CHECK (false);
    CREATE TABLE evil.change (source integer, key pg_catalog.text);
    CREATE SEQUENCE evil.bell;";

#[tokio::test]
async fn a_hostile_search_path_changes_nothing() {
    let (_test, client) = installed().await;
    posts(&client).await;
    run(&client, "shadows", SHADOWS).await;
    run(
        &client,
        "a key that needs functions and operators",
        "CREATE TABLE visits (at timestamptz, nth bigint, body text, PRIMARY KEY (at, nth)); SELECT tintype.attach('visits')",
    )
    .await;
    run(&client, "the bell is up, so that all of the function runs", "SELECT tintype.set_bell(15)").await;
    run(&client, "hostile", "SET search_path = evil, pg_catalog, public, pg_temp").await;
    run(&client, "update", "UPDATE public.posts SET body = 'new' WHERE id OPERATOR(pg_catalog.=) 1").await;
    run(&client, "the same", "UPDATE public.posts SET body = body, title = title").await;
    run(&client, "insert", "INSERT INTO public.visits VALUES ('2026-05-01 12:00+02', 5, 'x')").await;
    run(&client, "friendly", "RESET search_path").await;
    assert_eq!(marked(&client).await, ["1", "{2026-05-01T10:00:00,5}"]);
    assert_eq!(text(&client, "SELECT count(*) FROM evil.change").await, "0");
    assert_eq!(texts(&client, "SELECT what FROM evil.caught").await, Vec::<String>::new(), "nothing of evil's ran");
}

#[tokio::test]
async fn attach_in_a_hostile_session_makes_the_same_triggers() {
    let (_test, client) = installed().await;
    posts(&client).await;
    let made = "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
                 UNION ALL SELECT prosrc FROM pg_proc WHERE proname = 'mark_1' ORDER BY 1";
    let before = texts(&client, made).await;
    run(&client, "shadows", SHADOWS).await;
    run(&client, "hostile", "SET search_path = evil, pg_catalog, public, pg_temp").await;
    run(&client, "attach", "SELECT tintype.attach('public.posts', row_filter => 'published')").await;
    run(&client, "friendly", "RESET search_path").await;
    assert_eq!(texts(&client, made).await, before);
    assert_eq!(texts(&client, "SELECT what FROM evil.caught").await, Vec::<String>::new(), "nothing of evil's ran");
}
