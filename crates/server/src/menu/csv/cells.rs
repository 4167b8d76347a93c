//! The cells of a file, one after the other.

use csv_core::ReadFieldResult;

/// The longest cell, in bytes: the longest list of modifiers that can be is half as long.
pub(super) const CELL: usize = 256 * 1024;

/// What stands in a line.
#[derive(Default)]
pub(super) struct Record {
    /// Its line, from 1.
    pub(super) line: u64,
    /// How many cells it has.
    pub(super) count: usize,
    /// The first ones.
    pub(super) cells: Vec<Cell>,
}

pub(super) enum Cell {
    Text(String),
    /// It is longer than a cell may be.
    Long,
    /// It is not UTF-8.
    NoText,
}

/// Reads cell by cell into one buffer.
pub(super) struct Cells<'f> {
    reader: csv_core::Reader,
    rest: &'f [u8],
    /// The line in which `rest` begins.
    line: u64,
    buffer: Vec<u8>,
}

impl<'f> Cells<'f> {
    pub(super) fn new(bytes: &'f [u8], delimiter: u8) -> Self {
        Self {
            reader: csv_core::ReaderBuilder::new().delimiter(delimiter).build(),
            rest: bytes,
            line: 1,
            buffer: vec![0; CELL],
        }
    }

    fn skip(&mut self, bytes: usize) {
        let (read, rest) = self.rest.split_at(bytes);
        self.line += memchr::memchr_iter(b'\n', read).map(|_| 1).sum::<u64>();
        self.rest = rest;
    }

    /// The next line that is not empty, of which at most so many cells are kept.
    pub(super) fn record(&mut self, most: usize) -> Option<Record> {
        let ends = |byte: &&u8| matches!(byte, b'\r' | b'\n');
        self.skip(self.rest.iter().take_while(ends).count());
        let mut record = Record {
            line: self.line,
            ..Record::default()
        };
        let (mut used, mut is_long) = (0, false);
        loop {
            let free = self.buffer.get_mut(used..).unwrap_or_default();
            let (result, read, written) = self.reader.read_field(self.rest, free);
            self.skip(read);
            used += written;
            match result {
                ReadFieldResult::InputEmpty => {}
                ReadFieldResult::OutputFull => (used, is_long) = (0, true),
                ReadFieldResult::Field { record_end } => {
                    record.count += 1;
                    if record.cells.len() < most {
                        record.cells.push(self.cell(used, is_long));
                    }
                    if record_end {
                        return Some(record);
                    }
                    (used, is_long) = (0, false);
                }
                ReadFieldResult::End => return None,
            }
        }
    }

    fn cell(&self, used: usize, is_long: bool) -> Cell {
        if is_long {
            return Cell::Long;
        }
        match str::from_utf8(self.buffer.get(..used).unwrap_or_default()) {
            Ok(text) => Cell::Text(text.trim().to_owned()),
            Err(_) => Cell::NoText,
        }
    }
}
