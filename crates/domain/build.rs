//! Watches the migrations: without this, a new one would not be embedded until something else
//! changed. What it has read becomes the name under which tests keep a migrated database.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Result;
use std::path::Path;

const MIGRATIONS: &str = "../../migrations";

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed={MIGRATIONS}");
    let mut hasher = DefaultHasher::new();
    read(Path::new(MIGRATIONS), &mut hasher)?;
    println!(
        "cargo::rustc-env=MIGRATIONS_FINGERPRINT={:016x}",
        hasher.finish()
    );
    Ok(())
}

fn read(directory: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    let mut entries = fs::read_dir(directory)?.collect::<Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        entry.file_name().hash(hasher);
        if entry.file_type()?.is_dir() {
            read(&entry.path(), hasher)?;
        } else {
            fs::read(entry.path())?.hash(hasher);
        }
    }
    Ok(())
}
