//! Reads variables one by one and remembers every fault, so that all are reported together.

use std::cell::RefCell;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// What is wrong with one variable. Holds nothing of a value that may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// The variable.
    pub variable: &'static str,
    /// What is wrong with it.
    pub problem: String,
    /// What would be right.
    pub example: &'static str,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            variable,
            problem,
            example,
        } = self;
        write!(f, "{variable} {problem}, for example {variable}={example}")
    }
}

/// The variables and the faults found in them so far.
///
/// After a fault the reading goes on with a stand-in: the result is thrown away in the end.
pub(super) struct Vars<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
    faults: RefCell<Vec<ConfigFault>>,
}

impl<'a> Vars<'a> {
    pub(super) fn new(get: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            get,
            faults: RefCell::default(),
        }
    }

    pub(super) fn into_faults(self) -> Vec<ConfigFault> {
        self.faults.into_inner()
    }

    pub(super) fn fault(
        &self,
        variable: &'static str,
        problem: impl Into<String>,
        example: &'static str,
    ) {
        self.faults.borrow_mut().push(ConfigFault {
            variable,
            problem: problem.into(),
            example,
        });
    }

    /// A variable as it is. An empty one counts as unset: `NAME=` is how compose files unset it.
    pub(super) fn text(&self, variable: &'static str) -> Option<String> {
        (self.get)(variable)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    }

    /// A variable without which nothing works.
    pub(super) fn required(&self, variable: &'static str, example: &'static str) -> String {
        self.text(variable).unwrap_or_else(|| {
            self.fault(variable, "is required", example);
            String::new()
        })
    }

    /// A variable that is read by `read`, which says what is wrong.
    pub(super) fn parsed<T>(
        &self,
        variable: &'static str,
        example: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match read(&self.text(variable)?) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.fault(variable, problem, example);
                None
            }
        }
    }

    /// A number within limits.
    pub(super) fn number<T>(
        &self,
        variable: &'static str,
        example: &'static str,
        limits: RangeInclusive<T>,
        default: T,
    ) -> T
    where
        T: FromStr + PartialOrd + fmt::Display,
    {
        let read = |text: &str| match text.parse() {
            Ok(number) if limits.contains(&number) => Ok(number),
            _ => Err(format!(
                "is to be a whole number from {} to {}",
                limits.start(),
                limits.end()
            )),
        };
        self.parsed(variable, example, read).unwrap_or(default)
    }

    /// One of a few words, in any case.
    pub(super) fn word<T: Copy>(
        &self,
        variable: &'static str,
        words: &[(&'static str, T)],
        default: T,
    ) -> T {
        let example = words.first().map_or("", |(word, _)| word);
        let read = |text: &str| {
            let known = words
                .iter()
                .find(|(word, _)| word.eq_ignore_ascii_case(text));
            known.map(|(_, value)| *value).ok_or_else(|| {
                let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                format!("is to be one of {}", words.join(", "))
            })
        };
        self.parsed(variable, example, read).unwrap_or(default)
    }
}
