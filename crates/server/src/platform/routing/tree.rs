//! Paths as a tree of their segments.
//!
//! A literal segment wins over a variable one. Where that leads nowhere the variable one is tried:
//! `/guests/export` and `/guests/{gid}/seat` can stand side by side.

/// A tree of paths with something at their ends.
pub(super) struct Tree<T> {
    literal: Vec<(&'static str, Tree<T>)>,
    variable: Option<Box<Tree<T>>>,
    end: Option<T>,
}

impl<T> Default for Tree<T> {
    fn default() -> Self {
        Self {
            literal: Vec::new(),
            variable: None,
            end: None,
        }
    }
}

impl<T> Tree<T> {
    /// What stands at the end of a pattern; it is made when it is not there yet.
    pub(super) fn at(&mut self, pattern: &'static str) -> &mut T
    where
        T: Default,
    {
        let mut node = self;
        for segment in segments(pattern) {
            node = match name(segment) {
                Some(_) => node.variable.get_or_insert_default(),
                None => node.literal_child(segment),
            };
        }
        node.end.get_or_insert_default()
    }

    fn literal_child(&mut self, segment: &'static str) -> &mut Self {
        let known = self.literal.iter().position(|(known, _)| *known == segment);
        let index = known.unwrap_or_else(|| {
            self.literal.push((segment, Self::default()));
            self.literal.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "the index was just found or made")]
        &mut self.literal[index].1
    }

    /// What stands at the end of a path, and what stood in place of the variable segments.
    pub(super) fn find<'p>(&self, path: &'p str) -> Option<(&T, Vec<&'p str>)> {
        let mut values = Vec::new();
        let end = self.walk(path.strip_prefix('/')?, &mut values)?;
        Some((end, values))
    }

    fn walk<'p>(&self, path: &'p str, values: &mut Vec<&'p str>) -> Option<&T> {
        let (segment, rest) = match path.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (path, None),
        };
        let literal = self.literal.iter().find(|(known, _)| *known == segment);
        if let Some((_, node)) = literal
            && let Some(end) = node.rest(rest, values)
        {
            return Some(end);
        }
        let node = self.variable.as_deref().filter(|_| !segment.is_empty())?;
        values.push(segment);
        let end = node.rest(rest, values);
        if end.is_none() {
            values.pop();
        }
        end
    }

    fn rest<'p>(&self, rest: Option<&'p str>, values: &mut Vec<&'p str>) -> Option<&T> {
        match rest {
            Some(rest) => self.walk(rest, values),
            None => self.end.as_ref(),
        }
    }
}

fn segments(pattern: &'static str) -> impl Iterator<Item = &'static str> {
    pattern.strip_prefix('/').unwrap_or(pattern).split('/')
}

/// The name of a variable segment: `{name}`.
fn name(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// The names of the variable segments of a pattern.
pub(super) fn names(pattern: &'static str) -> impl Iterator<Item = &'static str> {
    segments(pattern).filter_map(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_path_and_its_values() {
        let mut tree = Tree::<&str>::default();
        let patterns = [
            "/",
            "/health",
            "/health/live",
            "/restaurants/{rid}",
            "/restaurants/{rid}/guests",
            "/restaurants/{rid}/guests/{gid}",
            "/restaurants/{rid}/guests/export",
            "/restaurants/{rid}/guests/{gid}/seat",
        ];
        for pattern in patterns {
            *tree.at(pattern) = pattern;
        }
        for (path, found) in [
            ("/", Some(("/", vec![]))),
            ("/health", Some(("/health", vec![]))),
            ("/health/live", Some(("/health/live", vec![]))),
            ("/health/dead", None),
            ("/restaurants", None),
            ("/restaurants/", None),
            ("/restaurants/7", Some(("/restaurants/{rid}", vec!["7"]))),
            (
                "/restaurants/7/guests/8",
                Some(("/restaurants/{rid}/guests/{gid}", vec!["7", "8"])),
            ),
            (
                "/restaurants/7/guests/export",
                Some(("/restaurants/{rid}/guests/export", vec!["7"])),
            ),
            (
                "/restaurants/7/guests/export/seat",
                Some(("/restaurants/{rid}/guests/{gid}/seat", vec!["7", "export"])),
            ),
            ("/restaurants/7/guests/8/leave", None),
            ("/restaurants//guests", None),
            ("/restaurants/7/guests/", None),
            ("restaurants/7", None),
            ("", None),
        ] {
            let got = tree.find(path).map(|(end, values)| (*end, values));
            assert_eq!(got, found, "{path}");
        }
    }

    #[test]
    fn names_of_variable_segments() {
        let names: Vec<_> = names("/restaurants/{rid}/guests/{gid}").collect();
        assert_eq!(names, ["rid", "gid"]);
    }
}
