//! QTable side by side with its peers, in one run on one machine: `scripts/bench`.
//!
//! - **pgbench** runs the very statements of the measured requests, as PostgreSQL's log has them:
//!   what the database could do if there were no server before it.
//! - **Nchan**, publish and subscribe in nginx, is the measure for fan-out and memory. The same
//!   clients follow it, with payloads of the same size.
//! - **Redis** alone is the measure for the way from worker to worker.
//!
//! Whoever is measured has fresh processes, and those of the others are ended. The rounds go in
//! turns, so that a machine that becomes slower does so for all.

mod chart;
mod database;
mod document;
mod growth;
mod machine;
mod nchan;
mod pgbench;
mod redis;
mod report;
mod requests;
mod results;
mod rounds;
mod scenario;
mod scripts;
mod statements;
mod workers;

use std::path::PathBuf;

use anyhow::Context;

use self::database::Database;
use self::growth::Axis;
use self::machine::Machine;
use self::nchan::Nchan;
use self::report::{Chaos, Report};
use self::results::{Results, What, Who};
use self::rounds::{Field, Sizes, Test};
use self::workers::Setup;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// How often everything is measured; the medians count.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// One round of a few seconds each, with few sessions: shows that it works, and no more.
    #[arg(long, conflicts_with = "rounds")]
    short: bool,
    /// Only some of it.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Test>,
    /// Instead: what things cost as there are more of them, all of them or only these.
    #[arg(long, value_enum, value_delimiter = ',', num_args = 0.., conflicts_with_all = ["only", "rounds"])]
    growth: Option<Vec<Axis>>,
    /// Connections to QTable over which reads and writes come.
    #[arg(long, default_value_t = 32)]
    connections: u32,
    /// Writes all figures here.
    #[arg(long)]
    json: Option<PathBuf>,
    /// The root of the checkout whose documents and results are written anew: with everything, or
    /// not at all.
    #[arg(long, conflicts_with_all = ["short", "only"])]
    write: Option<PathBuf>,
    /// What `qtable-load chaos --json` has written, for a line of its own.
    #[arg(long)]
    chaos: Option<PathBuf>,
    /// The version that is measured, in words.
    #[arg(long)]
    commit: Option<String>,
    /// The server's program.
    #[arg(long)]
    server: PathBuf,
    /// A directory for logs and all that is needed on the way.
    #[arg(long)]
    directory: PathBuf,
    /// The database, already running and empty. Its role `postgres` has the same password.
    #[arg(long)]
    database_url: String,
    /// Where PostgreSQL's programs are.
    #[arg(long)]
    postgres_programs: PathBuf,
    /// What PostgreSQL writes.
    #[arg(long)]
    postgres_log: PathBuf,
    /// Redis, already running.
    #[arg(long)]
    redis_url: String,
    /// nginx; without it, and without the module, Nchan is missing.
    #[arg(long, requires = "nchan_module")]
    nginx: Option<PathBuf>,
    /// `ngx_nchan_module.so`
    #[arg(long)]
    nchan_module: Option<PathBuf>,
}

const ALL: [Test; 5] = [Test::Write, Test::Read, Test::Fanout, Test::Idle, Test::Bus];

impl Args {
    fn sizes(&self) -> Sizes {
        let connections = self.connections;
        if self.short {
            Sizes {
                seconds: 2,
                connections,
                burst: (200, 50),
                steady: (500, 5, 3),
                idle: 500,
                bus: (50, 2),
            }
        } else {
            Sizes {
                seconds: 10,
                connections,
                burst: (1_000, 200),
                steady: (10_000, 5, 20),
                idle: 10_000,
                bus: (100, 10),
            }
        }
    }

    fn tests(&self) -> Vec<Test> {
        let is_wanted = |test: &Test| self.only.is_empty() || self.only.contains(test);
        ALL.into_iter().filter(is_wanted).collect()
    }
}

/// Runs it all, and prints the table. Whether an aim was reached is told, and no failure.
///
/// # Errors
/// When something could not be measured, or was lost.
pub(crate) async fn run(args: Args) -> anyhow::Result<bool> {
    if let Some(axes) = &args.growth {
        let (setup, database) = installation(&args)?;
        setup.migrate().await?;
        growth::run(&setup, &database, axes, args.short, args.write.as_deref()).await?;
        return Ok(true);
    }
    let chaos = args.chaos.as_deref().map(Chaos::read).transpose()?;
    let tests = args.tests();
    let rounds = if args.short {
        1
    } else {
        usize::from(args.rounds)
    };
    let mut field = prepare(&args, &tests).await?;
    let nginx = find_nchan(&args, &mut field).await;
    let machine =
        Machine::here(&field.database, &args.redis_url, nginx, args.commit.clone()).await?;
    for round in 1..=rounds {
        progress(&format!("round {round} of {rounds}"));
        for test in &tests {
            field.round(*test).await?;
        }
    }
    let report = Report {
        machine,
        notes: notes(&field),
        rounds,
        results: field.results,
        chaos,
    };
    println!("{}", report.markdown());
    if let Some(path) = &args.json {
        std::fs::write(path, report.json()?).with_context(|| path.display().to_string())?;
    }
    if let Some(root) = &args.write {
        document::write(root, &report)?;
    }
    Ok(true)
}

/// What is measured, and its database.
fn installation(args: &Args) -> anyhow::Result<(Setup, Database)> {
    std::fs::create_dir_all(&args.directory)?;
    let database = Database::new(
        &args.database_url,
        &args.postgres_programs,
        &args.postgres_log,
    )?;
    let setup = Setup {
        server: args.server.clone(),
        logs: args.directory.clone(),
        database_url: args.database_url.clone(),
        redis_url: args.redis_url.clone(),
        secret: format!("{:032x}", rand::random::<u128>()),
    };
    Ok((setup, database))
}

async fn prepare(args: &Args, tests: &[Test]) -> anyhow::Result<Field> {
    let (setup, database) = installation(args)?;
    let mut field = Field {
        setup,
        database,
        sizes: args.sizes(),
        nchan: None,
        writes: None,
        reads: None,
        frame_bytes: 0,
        results: Results::default(),
    };
    progress("preparing");
    field.setup.migrate().await?;
    field.learn_frame().await?;
    if !field.database.has("pgbench") {
        let why = "there is no pgbench beside PostgreSQL's other programs";
        field.results.missing.insert(Who::Pgbench, why.to_owned());
        return Ok(field);
    }
    if tests.contains(&Test::Write) {
        field.writes = Some(field.record(What::Writes).await?);
    }
    if tests.contains(&Test::Read) {
        field.reads = Some(field.record(What::Reads).await?);
    }
    Ok(field)
}

/// The version of nginx, where Nchan can be measured.
async fn find_nchan(args: &Args, field: &mut Field) -> Option<String> {
    let found = match (&args.nginx, &args.nchan_module) {
        (Some(nginx), Some(module)) => {
            let nchan = Nchan {
                nginx: nginx.clone(),
                module: module.clone(),
                redis_url: args.redis_url.clone(),
                directory: args.directory.join("nginx"),
            };
            match nchan.version().await {
                Ok(version) => Ok((nchan, version)),
                Err(error) => Err(format!("{error:#}")),
            }
        }
        _ => Err("there is no nginx with its module nchan (libnginx-mod-nchan)".to_owned()),
    };
    match found {
        Ok((nchan, version)) => {
            field.nchan = Some(nchan);
            Some(version)
        }
        Err(why) => {
            progress(&format!("PEER MISSING: Nchan: {why}"));
            field.results.missing.insert(Who::Nchan, why);
            None
        }
    }
}

/// How it was measured.
fn notes(field: &Field) -> Vec<String> {
    let Sizes {
        seconds,
        connections,
        burst,
        steady,
        idle,
        bus,
    } = field.sizes;
    let mut notes = vec![
        format!(
            "QTable: two workers with Redis, {connections} connections from clients, rate limits \
             off. Whoever is measured has fresh processes; those of the others \
             are ended."
        ),
        format!(
            "Bursts: {} sessions × {} events, as fast as they go. Many sessions: {}, {} events per \
             second for {} s. Idle: {idle} sessions. Payloads of {} bytes for all.",
            burst.0, burst.1, steady.0, steady.1, steady.2, field.frame_bytes
        ),
        format!(
            "CPU seconds and memory are those of the serving processes: of QTable's two workers, of \
             nginx' two; PostgreSQL and Redis are not among them. Worker to worker: {} events per \
             second, from the request to the frame, beside PUBLISH to message.",
            bus.0
        ),
    ];
    for (name, pgbench) in [("write", &field.writes), ("read", &field.reads)] {
        if let Some((pgbench, clients)) =
            pgbench.as_ref().and_then(|one| Some((one, one.clients()?)))
        {
            notes.push(format!(
                "pgbench, {name}: {}; `-M prepared`, {clients} connections, the best of 8, 16 and \
                 32; {seconds} s.",
                pgbench.recorded
            ));
        }
    }
    notes
}

fn progress(words: &str) {
    eprintln!("{words}");
}

/// Exact up to 2⁵³.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2⁵³")]
const fn float(count: u64) -> f64 {
    count as f64
}

/// How many of these for each of those.
fn per(these: u64, those: u64) -> f64 {
    if those == 0 {
        return 0.0;
    }
    float(these) / float(those)
}
