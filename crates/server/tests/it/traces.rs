//! Traces, as a collector receives them from the program itself.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use reqwest::Method;
use testkit::wait::{DEADLINE, until};

use crate::support::{Endpoint, Restaurant, Socket, TestApp, guest};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// The spans that a collector has received, each with the worker that made it.
fn spans(collector: &Endpoint) -> Vec<(String, Span)> {
    let mut spans = Vec::new();
    for received in collector.received() {
        assert_eq!(received.path, "/v1/traces");
        assert_eq!(received.headers["api-key"], "of the vendor");
        let request = ExportTraceServiceRequest::decode(received.body.as_slice()).unwrap();
        for of in request.resource_spans {
            let worker = attribute(&of.resource.unwrap().attributes, "service.instance.id");
            let made = of.scope_spans.into_iter().flat_map(|scope| scope.spans);
            spans.extend(made.map(|span| (worker.clone(), span)));
        }
    }
    spans
}

fn attribute(attributes: &[KeyValue], name: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == name);
    let Some(AnyValue { value: Some(value) }) = found.and_then(|found| found.value.clone()) else {
        panic!("no {name} in {attributes:?}");
    };
    match value {
        Any::StringValue(text) => text,
        Any::IntValue(number) => number.to_string(),
        other => panic!("{name} is {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_followed_to_the_sockets_of_every_worker() {
    let collector = Endpoint::start().await;
    let app = TestApp::with(0, &[]).await;
    let endpoint = format!("http://{}", collector.address);
    let vars = |worker| {
        [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=of the vendor"),
            ("LOG_FORMAT", "json"),
            ("SHUTDOWN_GRACE_SECONDS", "1"),
            ("WORKER_ID", worker),
        ]
    };
    let (mut first, client) = app.process(&vars("w-1")).await;
    let (mut second, other) = app.process(&vars("w-2")).await;
    let house = Restaurant::of(&client).await;
    until("the bus to be up", DEADLINE, async || {
        let up = async |client: &_| house.at(client).metric("qtable_bus_up ").await > 0.0;
        (up(&client).await && up(&other).await).then_some(())
    })
    .await;
    let mut here = Socket::open(&house.owner, &house.id, "").await;
    let mut there = Socket::open(&house.at(&other), &house.id, "").await;
    let mut also_there = Socket::open(&house.at(&other), &house.id, "").await;
    let made = house
        .owner
        .request(Method::POST, &house.path("/guests"))
        .header("traceparent", format!("00-{TRACE}-{PARENT}-00"))
        .json(&guest("Ann", 2))
        .send()
        .await
        .unwrap();
    assert_eq!(made.status(), 201);
    let frame = here.text().await;
    assert_eq!(there.text().await, frame);
    assert_eq!(also_there.text().await, frame);
    assert!(!frame.contains(TRACE), "frames are kept, and carry none");
    // What is left is sent on the way out.
    for worker in [&mut first, &mut second] {
        worker.terminate();
        assert!(worker.wait(DEADLINE).await.success());
    }

    let all = spans(&collector);
    let of_it: Vec<_> = all
        .iter()
        .filter(|(_, span)| hex(&span.trace_id) == TRACE)
        .collect();
    let named = |name: &str, worker: &str| {
        let found = of_it
            .iter()
            .filter(|(by, span)| span.name == name && by == worker);
        let found: Vec<_> = found.map(|(_, span)| span).collect();
        assert_eq!(found.len(), 1, "{name} by {worker}: {of_it:#?}");
        found[0]
    };
    let request = named("POST /api/v1/restaurants/{rid}/guests", "w-1");
    let write = named("guests.create", "w-1");
    let publish = named("publish", "w-1");
    assert_eq!(hex(&request.parent_span_id), PARENT);
    assert_eq!(write.parent_span_id, request.span_id);
    assert_eq!(publish.parent_span_id, write.span_id);
    for (worker, sessions) in [("w-1", "1"), ("w-2", "2")] {
        let relay = named("relay", worker);
        assert_eq!(relay.parent_span_id, publish.span_id);
        let of = |name| attribute(&relay.attributes, name);
        assert_eq!(of("qtable.restaurant.id"), house.id);
        assert_eq!(of("qtable.sessions"), sessions);
        assert_eq!(of("qtable.seq.first"), of("qtable.seq.last"));
        assert!(
            frame.contains(&format!("\"seq\":{},", of("qtable.seq.last"))),
            "{frame}"
        );
        assert!(of("qtable.behind_ms").parse::<u64>().is_ok());
    }
    // The log names the trace, and nothing of the guest is in either.
    let log = first.output();
    assert!(log.contains(TRACE), "{log}");
    assert!(!log.contains("Ann") && !format!("{all:?}").contains("Ann"));
    app.finish().await;
}
