//! Where the result is kept: beside this crate's sources, and in `docs/proof.md`.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};

use super::chart;
use super::report::Report;

const BEGIN: &str = "<!-- bench: begin -->";
const END: &str = "<!-- bench: end -->";

/// Both from the root of the checkout.
const DOCUMENT: &str = "docs/proof.md";
const RESULTS: &str = "crates/loadgen/results";

/// Writes the chart, the table and all figures, and the table into the document.
///
/// # Errors
/// When the document does not say where.
pub(super) fn write(root: &Path, report: &Report) -> anyhow::Result<()> {
    let document = root.join(DOCUMENT);
    let text = fs::read_to_string(&document).with_context(|| document.display().to_string())?;
    let table = report.markdown();
    let picture = format!("![QTable beside its peers](../{RESULTS}/chart.svg)\n\n{table}");
    let text = insert(&text, &picture)?;
    let results = root.join(RESULTS);
    fs::create_dir_all(&results)?;
    fs::write(results.join("table.md"), &table)?;
    fs::write(results.join("chart.svg"), chart::draw(&report.results))?;
    let mut json = report.json()?;
    json.push(b'\n');
    fs::write(results.join("results.json"), json)?;
    fs::write(document, text)?;
    Ok(())
}

/// Puts something between the marks, in the place of what is there.
fn insert(text: &str, what: &str) -> anyhow::Result<String> {
    let missing = || format!("{DOCUMENT} needs the lines {BEGIN} and {END}");
    let (before, rest) = text.split_once(BEGIN).with_context(missing)?;
    let (_, after) = rest.split_once(END).with_context(missing)?;
    ensure!(
        !after.contains(BEGIN) && !after.contains(END),
        "{DOCUMENT} has the marks twice"
    );
    Ok(format!(
        "{before}{BEGIN}\n\n{}\n\n{END}{after}",
        what.trim()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let text = format!("# Head\n{BEGIN}\nold\n{END}\ntail\n");
        let once = insert(&text, "new\n").unwrap();
        assert_eq!(once, format!("# Head\n{BEGIN}\n\nnew\n\n{END}\ntail\n"));
        assert_eq!(insert(&once, "new").unwrap(), once);
        insert("no marks", "new").unwrap_err();
        insert(&format!("{END}{BEGIN}"), "new").unwrap_err();
        insert(&format!("{text}{text}"), "new").unwrap_err();
    }
}
