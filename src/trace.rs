//! What a job did when, as a trace for an OpenTelemetry collector: spans come in by way of `tracing`, batches go out over OTLP where
//! the standard's variables name a collector. Each job is a trace of its own, and its id is in the job's line of the log, so that who
//! has one finds the other. <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/> has the variables.

use std::{env, time::Duration};

use async_trait::async_trait;
use hyper::body::Bytes;
use opentelemetry::{
    KeyValue,
    trace::{TraceContextExt, TracerProvider},
};
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::{Level, Span, Subscriber, field::Empty, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

use crate::{error::Error, web};

/// The target of spans for collectors; none of the log's filters by module lets them in, where they would be in each line.
const TARGET: &str = "trace";

/// How long a collector may take where `OTEL_EXPORTER_OTLP_TIMEOUT` says nothing; the standard's own default.
const LIMIT: Duration = Duration::from_secs(10);

/// How long the last spans may take at the end.
const FAREWELL: Duration = Duration::from_secs(3);

/// The variables that name a collector.
const COLLECTOR: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// Gives jobs their traces, and sends these to a collector where there is one.
#[derive(Debug)]
pub struct Tracing {
    provider: SdkTracerProvider,
}

impl Tracing {
    /// Reads the variables. Must be called within a runtime, on which spans are sent.
    ///
    /// # Errors
    /// When they name something that is no collector.
    pub fn new() -> Result<Self, Error> {
        let mut resource =
            Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        if !names_the_service() {
            resource = resource.with_service_name("tintype");
        }
        let mut provider = SdkTracerProvider::builder().with_resource(resource.build());
        if has_collector() {
            let line = Line { runtime: Handle::current(), limit: limit() };
            let exporter = SpanExporter::builder().with_http().with_http_client(line).build();
            let exporter = exporter.map_err(|error| Error::Usage {
                what: format!("traces cannot be sent: {error}"),
                hint: format!(
                    "{} is the address of a collector that speaks OTLP over HTTP, http://127.0.0.1:4318",
                    COLLECTOR[1]
                ),
            })?;
            provider = provider.with_batch_exporter(exporter);
        }
        Ok(Self { provider: provider.build() })
    }

    /// What hands spans over.
    #[must_use]
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let layer = tracing_opentelemetry::layer().with_tracer(self.provider.tracer("tintype"));
        layer.with_location(false).with_threads(false).with_filter(Targets::new().with_target(TARGET, Level::INFO))
    }

    /// Sends what is left. Blocks, for seconds at most; the runtime must still be there.
    pub fn close(self) {
        if let Err(error) = self.provider.shutdown_with_timeout(FAREWELL) {
            tracing::warn!(%error, "the last spans are lost");
        }
    }
}

/// Whether spans go anywhere.
#[must_use]
pub fn has_collector() -> bool {
    let is = |name: &str, wanted: &str| env::var(name).is_ok_and(|value| value.eq_ignore_ascii_case(wanted));
    let named = COLLECTOR.iter().any(|name| env::var(name).is_ok_and(|value| !value.is_empty()));
    named && !is("OTEL_SDK_DISABLED", "true") && !is("OTEL_TRACES_EXPORTER", "none")
}

fn names_the_service() -> bool {
    let attributes = env::var("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    env::var("OTEL_SERVICE_NAME").is_ok_and(|name| !name.is_empty()) || attributes.contains("service.name=")
}

fn limit() -> Duration {
    let names = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
    let said = names.iter().find_map(|name| env::var(name).ok()?.parse().ok());
    said.map_or(LIMIT, Duration::from_millis)
}

/// The id of the trace that a span belongs to, in hexadecimal; none where nobody traces.
#[must_use]
pub fn id(span: &Span) -> Option<String> {
    let context = span.context();
    let of = context.span().span_context().clone();
    of.is_valid().then(|| of.trace_id().to_string())
}

/// The span of a job, under which all that is done for it has its own.
#[must_use]
pub fn job(row: &str, attempt: i32) -> Span {
    info_span!(
        target: TARGET, "job", tintype.row = row, tintype.attempt = attempt, tintype.outcome = Empty,
        otel.status_code = Empty, otel.status_description = Empty
    )
}

/// The span of a part of a job.
#[must_use]
pub fn part(name: &'static str) -> Span {
    info_span!(target: TARGET, "part", otel.name = name)
}

/// Says what came of a job: one word, and what went wrong.
pub fn finish(job: &Span, outcome: &str, trouble: Option<String>) {
    job.record("tintype.outcome", outcome);
    if let Some(trouble) = trouble {
        job.record("otel.status_code", "ERROR").record("otel.status_description", trouble);
    }
}

/// The way to the collector, over our own TLS. Spans are sent from a thread of the SDK's own, which has no runtime.
#[derive(Debug)]
struct Line {
    runtime: Handle,
    limit: Duration,
}

#[async_trait]
impl HttpClient for Line {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        Ok(self.runtime.spawn(web::send(request, self.limit)).await??)
    }
}
