//! Where a PostgreSQL server of a test lives, and as whom it runs.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The superuser.
pub(super) const USER: &str = "qtable";
pub(super) const PASSWORD: &str = "of-a-test";

/// A directory with the data in `data`, and whatever else the server needs beside it.
#[derive(Debug)]
pub(super) struct Home {
    directory: PathBuf,
    programs: PathBuf,
    /// PostgreSQL does not run as root: then everything belongs to its own user, or nobody.
    owner: Option<(u32, u32)>,
}

impl Home {
    pub(super) fn new() -> Self {
        let directory = std::env::temp_dir().join(format!("qt_test_{}", crate::random_name()));
        fs::create_dir(&directory).unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
        let is_root = id("-u", &[]) == Some(0);
        let home = Self {
            directory,
            programs: programs(),
            owner: is_root.then(|| {
                let known = |name| id("-u", &[name]).zip(id("-g", &[name]));
                known("postgres").or_else(|| known("nobody")).unwrap()
            }),
        };
        home.give_away(&home.directory);
        let password = home.path("password");
        fs::write(&password, PASSWORD).unwrap();
        home.give_away(&password);
        home
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Copies a file here.
    pub(super) fn take(&self, file: &Path, name: &str) {
        let path = self.path(name);
        fs::copy(file, &path).unwrap();
        self.give_away(&path);
    }

    fn give_away(&self, path: &Path) {
        if let Some((user, group)) = self.owner {
            chown(path, Some(user), Some(group)).unwrap();
        }
    }

    /// Makes the data of a new server.
    pub(super) fn initialize(&self) {
        self.run("initdb", |command| {
            command
                .args(["--no-sync", "--locale=C", "--encoding=UTF8"])
                .args(["--auth=scram-sha-256", "--pwfile=password"])
                .args(["--username", USER])
        });
    }

    /// One of PostgreSQL's programs on the data.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(&self.directory).args(["-D", "data"]);
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    /// Runs one to its end.
    pub(super) fn run(&self, program: &str, with: impl Fn(&mut Command) -> &mut Command) {
        let output = with(&mut self.command(program)).output();
        let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program}: {said}");
    }
}

fn id(which: &str, user: &[&str]) -> Option<u32> {
    let output = Command::new("id").arg(which).args(user).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// The directory with PostgreSQL's programs: the one that is told, else where systems put them. All
/// of one directory, because a server does not start on the data of another version.
fn programs() -> PathBuf {
    let told = std::env::var_os("TEST_POSTGRES_BIN").filter(|told| !told.is_empty());
    told.map_or_else(found, PathBuf::from)
}

fn found() -> PathBuf {
    let script = "command -v postgres || ls -d /usr/lib/postgresql/*/bin/postgres \
        /opt/homebrew/opt/postgresql@*/bin/postgres 2>/dev/null | sort -V | tail -n 1";
    let output = Command::new("sh").args(["-c", script]).output().unwrap();
    let path = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
    let directory = path.parent().map(Path::to_path_buf);
    directory.unwrap_or_else(|| panic!("there is no PostgreSQL: TEST_POSTGRES_BIN says where"))
}
