//! The result as a picture: two bars for each comparison, each pair at a scale of its own.

use std::fmt::Write as _;

use super::results::{LINES, Line, Results, Verdict, Who};

/// Pixels.
const WIDTH: f64 = 860.0;
const LABEL: f64 = 330.0;
const BARS: f64 = 360.0;
const BAR: f64 = 13.0;
const STEP: f64 = 52.0;
const TOP: f64 = 40.0;

/// An SVG that is readable on light and on dark ground.
pub(super) fn draw(results: &Results) -> String {
    let pairs: Vec<(&Line, f64, f64)> = LINES
        .iter()
        .filter_map(|line| {
            let ours = results.spread(line.what, Who::Qtable)?.median;
            let theirs = results.spread(line.what, line.peer)?.median;
            (ours.max(theirs) > 0.0).then_some((line, ours, theirs))
        })
        .collect();
    let height = (0..pairs.len()).fold(TOP + 16.0, |height, _| height + STEP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\">
<title>QTable beside its peers</title>
<style>
text {{ fill: #1f2328 }} .quiet {{ fill: #59636e }} .ours {{ fill: #1a7f5a }} .theirs {{ fill: #a0a7b0 }}
@media (prefers-color-scheme: dark) {{
text {{ fill: #e6edf3 }} .quiet {{ fill: #9198a1 }} .ours {{ fill: #3fb985 }} .theirs {{ fill: #5b636d }}
}}
</style>
<rect class=\"ours\" x=\"{LABEL}\" y=\"12\" width=\"12\" height=\"12\" rx=\"2\"/>
<text x=\"{}\" y=\"23\">QTable</text>
<rect class=\"theirs\" x=\"{}\" y=\"12\" width=\"12\" height=\"12\" rx=\"2\"/>
<text x=\"{}\" y=\"23\">peer</text>
",
        LABEL + 18.0,
        LABEL + 80.0,
        LABEL + 98.0
    );
    let mut top = TOP;
    for (line, ours, theirs) in pairs {
        pair(&mut svg, results, line, top, (ours, theirs));
        top += STEP;
    }
    svg.push_str("</svg>\n");
    svg
}

fn pair(svg: &mut String, results: &Results, line: &Line, top: f64, (ours, theirs): (f64, f64)) {
    let scale = BARS / ours.max(theirs);
    let result = match results.verdict(line) {
        Verdict::Met => ", met",
        Verdict::Missed => ", missed",
        _ => "",
    };
    let text = |svg: &mut String, class: &str, x: f64, y: f64, words: &str| {
        // Writing into a string cannot fail.
        let _ = writeln!(
            svg,
            "<text{class} x=\"{x:.0}\" y=\"{y:.0}\">{}</text>",
            escape(words)
        );
    };
    text(svg, "", 8.0, top + 16.0, line.what.words());
    let beside = format!(
        "beside {}: {:.0} %{result}",
        line.peer.words(),
        ours / theirs * 100.0
    );
    text(svg, " class=\"quiet\"", 8.0, top + 32.0, &beside);
    for (class, figure, y) in [("ours", ours, top + 5.0), ("theirs", theirs, top + 21.0)] {
        let width = (figure * scale).max(1.0);
        let _ = writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{LABEL}\" y=\"{y:.0}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\"/>"
        );
        text(
            svg,
            "",
            LABEL + width + 6.0,
            y + 11.0,
            &line.what.figure(figure),
        );
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::results::What;

    #[test]
    fn bars_are_to_scale_and_only_of_what_was_measured() {
        let mut results = Results::default();
        results.add(What::Writes, Who::Qtable, 4000.0);
        results.add(What::Writes, Who::Pgbench, 8000.0);
        results.add(What::Reads, Who::Qtable, 4000.0);
        let svg = draw(&results);
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("width=\"180.0\"") && svg.contains("width=\"360.0\""));
        assert!(svg.contains(">8,000/s<") && svg.contains(": 50 %, met<"));
        assert!(!svg.contains("list 50 guests"));
        assert!(svg.contains("prefers-color-scheme: dark"));
        assert_eq!(escape("a < b & c"), "a &lt; b &amp; c");
    }
}
