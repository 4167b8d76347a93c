//! Tables for terminals, in a form that Markdown takes too.

/// Lines of cells under a heading; all columns but the first are flush right.
#[derive(Debug)]
pub(crate) struct Table {
    lines: Vec<Vec<String>>,
}

impl Table {
    /// A table of these columns.
    pub(crate) fn new<'a>(heading: impl AsRef<[&'a str]>) -> Self {
        let heading = heading.as_ref().iter();
        Self {
            lines: vec![heading.map(|cell| (*cell).to_owned()).collect()],
        }
    }

    /// Adds a line, which should have as many cells as the heading.
    pub(crate) fn line(&mut self, cells: impl Into<Vec<String>>) {
        self.lines.push(cells.into());
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let columns = self.lines.first().map_or(0, Vec::len);
        let cell = |line: &[String], column: usize| line.get(column).cloned().unwrap_or_default();
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let width = |line: &Vec<String>| cell(line, column).chars().count();
                self.lines.iter().map(width).max().unwrap_or(0)
            })
            .collect();
        for (number, line) in self.lines.iter().enumerate() {
            for (column, width) in widths.iter().enumerate() {
                let text = cell(line, column);
                if column == 0 {
                    write!(f, "| {text:<width$} |")?;
                } else {
                    write!(f, " {text:>width$} |")?;
                }
            }
            writeln!(f)?;
            if number == 0 {
                for (column, width) in widths.iter().enumerate() {
                    let dashes = "-".repeat(*width);
                    if column == 0 {
                        write!(f, "|-{dashes}-|")?;
                    } else {
                        write!(f, "-{dashes}:|")?;
                    }
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(["fault", "times"]);
        table.line(["worker killed".to_owned(), "10".to_owned()]);
        assert_eq!(
            table.to_string(),
            "| fault         | times |\n|---------------|------:|\n| worker killed |    10 |\n"
        );
    }
}
