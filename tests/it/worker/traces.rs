//! What a collector gets to know of a worker's jobs, by the standard's variables, and how a line of the log leads there.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value, trace::v1::Span,
};
use prost::Message;
use tokio::net::TcpListener;

use super::{open, write};
use crate::support::{
    eventually,
    worker::{LIMIT, until, until_drawn},
};

/// A collector on loopback, until it is dropped.
struct Collector {
    url: String,
    got: Arc<Mutex<Vec<(HeaderMap, ExportTraceServiceRequest)>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Collector {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let got: Arc<Mutex<Vec<_>>> = Arc::default();
        let kept = Arc::clone(&got);
        let take = async move |headers: HeaderMap, body: Bytes| {
            let traces = ExportTraceServiceRequest::decode(body).unwrap();
            kept.lock().unwrap().push((headers, traces));
            StatusCode::OK
        };
        let router = Router::new().route("/v1/traces", post(take));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, got, task }
    }

    fn spans(&self) -> Vec<Span> {
        let got = self.got.lock().unwrap();
        let resources = got.iter().flat_map(|(_, traces)| traces.resource_spans.clone());
        resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }

    /// The spans of a trace whose job is over.
    async fn trace(&self, id: &str) -> Vec<Span> {
        let whole = async || {
            let spans = self.spans().into_iter().filter(|span| hex(&span.trace_id) == id).collect::<Vec<_>>();
            spans.iter().any(|span| span.name == "job").then_some(spans)
        };
        eventually("the trace of a line of the log", LIMIT, whole).await
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// What a span says under a name.
fn said(span: &Span, name: &str) -> String {
    let value = span.attributes.iter().find(|attribute| attribute.key == name).and_then(|said| said.value.clone());
    match value.and_then(|value| value.value) {
        Some(any_value::Value::StringValue(text)) => text,
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn a_collector_gets_the_trace_that_a_line_of_the_log_names() {
    let (_database, client, workplace) = open().await;
    client.batch_execute("ALTER TABLE posts ADD CHECK (id <> 2 OR og_image_url IS NULL)").await.unwrap();
    let collector = Collector::open().await;
    let worker = workplace.start_with_secrets(
        &[],
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=of ours"),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
            ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ],
    );
    write(&client, 1, 2).await;
    until(&client, "both are settled", "SELECT count(*) = 2 FROM tintype.image").await;
    let line = async |word: &str| {
        eventually(word, LIMIT, async || worker.logged(word).first().cloned()).await["trace_id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (published, failed) = (line("published").await, line("failed").await);

    let spans = collector.trace(&published).await;
    let mut names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["draw", "job", "publish", "read", "upload"]);
    let job = spans.iter().find(|span| span.name == "job").unwrap();
    assert_eq!((said(job, "tintype.row"), said(job, "tintype.outcome")), ("posts/1".into(), "published".into()));
    assert!(spans.iter().filter(|span| span.name != "job").all(|span| span.parent_span_id == job.span_id));

    let spans = collector.trace(&failed).await;
    let status = spans.iter().find(|span| span.name == "job").unwrap().status.clone().unwrap();
    assert!(status.code == 2 && status.message.contains("violates check constraint"), "{status:?}");

    let (headers, traces) = collector.got.lock().unwrap()[0].clone();
    assert_eq!(headers["x-key"], "of ours");
    let about = format!("{:?}", traces.resource_spans[0].resource);
    for known in ["service.name", "\"tintype\"", "service.version", "deployment.environment.name"] {
        assert!(about.contains(known), "{known} in {about}");
    }
}

#[tokio::test]
async fn without_a_collector_lines_have_their_trace_s_id_and_an_absent_one_holds_nobody_up() {
    let (_database, client, workplace) = open().await;
    let worker = workplace.start(&[]);
    write(&client, 1, 2).await;
    until_drawn(&client).await;
    let both = async || (worker.logged("published").len() == 2).then(|| worker.logged("published"));
    let lines = eventually("both lines", LIMIT, both).await;
    let ids: Vec<&str> = lines.iter().map(|line| line["trace_id"].as_str().unwrap()).collect();
    assert!(ids[0] != ids[1] && ids.iter().all(|id| id.len() == 32), "{ids:?}");
    drop(worker);

    let absent = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"), ("OTEL_BSP_SCHEDULE_DELAY", "20")];
    let mut worker = workplace.start_with_secrets(&[], &absent);
    write(&client, 3, 4).await;
    until_drawn(&client).await;
    worker.signal("TERM").await;
    assert_eq!(worker.exit().await.code(), Some(0));
}
