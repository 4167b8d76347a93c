//! Numbers that other parts keep, written down at the moment somebody asks for them.

use std::time::Duration;

use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
};

use super::PREFIX;

/// Where a hook of [`super::Metrics::on_scrape`] writes its numbers. Names get `qtable_` in front.
#[derive(Default)]
pub struct Sheet(Vec<MetricFamily>);

impl Sheet {
    /// A number that goes up and down.
    pub fn gauge(&mut self, name: &str, help: &str, value: f64) {
        let mut gauge = Gauge::default();
        gauge.set_value(value);
        let mut metric = Metric::default();
        metric.set_gauge(gauge);
        self.family(name, help, MetricType::GAUGE, vec![metric]);
    }

    /// Numbers that go up and down, one for each value of a label.
    pub fn gauges<'a>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'a str, f64)>,
    ) {
        let metrics = values.into_iter().map(|(word, value)| {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            let mut metric = labelled(label, word);
            metric.set_gauge(gauge);
            metric
        });
        let metrics = metrics.collect();
        self.family(name, help, MetricType::GAUGE, metrics);
    }

    /// A number that only grows.
    pub fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, help, MetricType::COUNTER, vec![counter(value)]);
    }

    /// Numbers that only grow, one for each value of a label.
    pub fn counters<'a>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'a str, u64)>,
    ) {
        let metrics = values.into_iter().map(|(word, value)| {
            let mut metric = counter(value);
            metric.set_label(labelled(label, word).take_label());
            metric
        });
        let metrics = metrics.collect();
        self.family(name, help, MetricType::COUNTER, metrics);
    }

    /// Durations in classes: for each upper bound how many were at most as long, then how many
    /// there were and how long all of them took.
    pub fn durations(
        &mut self,
        name: &str,
        help: &str,
        cumulative: impl IntoIterator<Item = (Duration, u64)>,
        count: u64,
        total: Duration,
    ) {
        let buckets = cumulative.into_iter().map(|(bound, count)| {
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(bound.as_secs_f64());
            bucket.set_cumulative_count(count);
            bucket
        });
        let mut histogram = Histogram::default();
        histogram.set_bucket(buckets.collect());
        histogram.set_sample_count(count);
        histogram.set_sample_sum(total.as_secs_f64());
        let mut metric = Metric::default();
        metric.set_histogram(histogram);
        self.family(name, help, MetricType::HISTOGRAM, vec![metric]);
    }

    fn family(&mut self, name: &str, help: &str, kind: MetricType, metrics: Vec<Metric>) {
        // The encoder refuses a family without members.
        if metrics.is_empty() {
            return;
        }
        let mut family = MetricFamily::default();
        family.set_name(format!("{PREFIX}_{name}"));
        family.set_help(help.to_owned());
        family.set_field_type(kind);
        family.set_metric(metrics);
        self.0.push(family);
    }

    pub(super) fn into_families(self) -> Vec<MetricFamily> {
        self.0
    }
}

/// Nothing yet, under a label.
fn labelled(name: &str, value: &str) -> Metric {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    let mut metric = Metric::default();
    metric.set_label(vec![pair]);
    metric
}

fn counter(value: u64) -> Metric {
    #[expect(
        clippy::cast_precision_loss,
        reason = "Prometheus counts in floating point, exact up to 2^53"
    )]
    let value = value as f64;
    let mut counter = Counter::default();
    counter.set_value(value);
    let mut metric = Metric::default();
    metric.set_counter(counter);
    metric
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::seen::metrics::Metrics;

    #[test]
    fn everything_that_a_hook_may_write() {
        let metrics = Metrics::new().unwrap();
        metrics.on_scrape(|sheet| {
            sheet.gauge("rooms", "Rooms.", 2.0);
            sheet.gauges("bus_up", "Up.", "server", [("0", 1.0), ("1", 0.0)]);
            sheet.counter("resumes_total", "Resumes.", 7);
            sheet.counters(
                "resyncs_total",
                "Resyncs.",
                "reason",
                [("pruned", 1), ("x", 0)],
            );
            sheet.counters("nothing_total", "None.", "x", []);
            sheet.durations(
                "bus_lag_seconds",
                "Lag.",
                [
                    (Duration::from_millis(5), 1),
                    (Duration::from_millis(50), 2),
                ],
                3,
                Duration::from_millis(1500),
            );
        });
        let text = metrics.render().unwrap();
        let ours: Vec<_> = [
            "rooms", "bus_up", "resumes", "resyncs", "nothing", "bus_lag",
        ]
        .iter()
        .flat_map(|name| {
            let start = format!("qtable_{name}");
            text.lines().filter(move |line| line.starts_with(&start))
        })
        .collect();
        insta::assert_snapshot!(ours.join("\n"), @r#"
        qtable_rooms 2
        qtable_bus_up{server="0"} 1
        qtable_bus_up{server="1"} 0
        qtable_resumes_total 7
        qtable_resyncs_total{reason="pruned"} 1
        qtable_resyncs_total{reason="x"} 0
        qtable_bus_lag_seconds_bucket{le="0.005"} 1
        qtable_bus_lag_seconds_bucket{le="0.05"} 2
        qtable_bus_lag_seconds_bucket{le="+Inf"} 3
        qtable_bus_lag_seconds_sum 1.5
        qtable_bus_lag_seconds_count 3
        "#);
    }
}
