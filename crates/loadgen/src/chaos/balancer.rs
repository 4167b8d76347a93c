//! The balancer before the workers: each new connection goes to the next one that says it is ready.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How often each worker is asked, and how long it may take.
const EVERY: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_secs(1);

/// A worker, as the balancer sees it.
#[derive(Debug)]
pub(crate) struct Backend {
    /// Where connections go.
    pub(crate) address: SocketAddr,
    /// Where it is asked whether it is ready.
    pub(crate) health: SocketAddr,
    is_ready: AtomicBool,
}

impl Backend {
    pub(crate) const fn new(address: SocketAddr, health: SocketAddr) -> Self {
        Self {
            address,
            health,
            is_ready: AtomicBool::new(false),
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Relaxed)
    }
}

/// Runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Balancer {
    pub(crate) address: SocketAddr,
    pub(crate) backends: Arc<Vec<Backend>>,
    _tasks: JoinSet<()>,
}

impl Balancer {
    pub(crate) async fn start(backends: Vec<Backend>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let backends = Arc::new(backends);
        let mut tasks = JoinSet::new();
        let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
        for index in 0..backends.len() {
            tasks.spawn(watch(Arc::clone(&backends), index, http.clone()));
        }
        tasks.spawn(accept(listener, Arc::clone(&backends)));
        Ok(Self {
            address,
            backends,
            _tasks: tasks,
        })
    }

    /// Whether all workers are ready.
    pub(crate) fn all_ready(&self) -> bool {
        self.backends.iter().all(Backend::is_ready)
    }
}

async fn watch(backends: Arc<Vec<Backend>>, index: usize, http: reqwest::Client) {
    let Some(backend) = backends.get(index) else {
        return;
    };
    let url = format!("http://{}/health/ready", backend.health);
    loop {
        let answer = http.get(&url).send().await;
        let is_ready = answer.is_ok_and(|answer| answer.status().is_success());
        backend.is_ready.store(is_ready, Ordering::Relaxed);
        sleep(EVERY).await;
    }
}

async fn accept(listener: TcpListener, backends: Arc<Vec<Backend>>) {
    let turn = AtomicUsize::new(0);
    let mut links = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        while links.try_join_next().is_some() {}
        let first = turn.fetch_add(1, Ordering::Relaxed);
        let count = backends.len();
        let in_turn = (0..count).filter_map(|step| backends.get((first + step) % count));
        // When none says so, somebody has to answer that.
        let ready = in_turn.clone().find(|backend| backend.is_ready());
        let Some(backend) = ready.or_else(|| backends.get(first % count)) else {
            return;
        };
        links.spawn(carry(client, backend.address));
    }
}

async fn carry(mut client: TcpStream, address: SocketAddr) {
    let Ok(mut worker) = TcpStream::connect(address).await else {
        return;
    };
    let _nodelay = (client.set_nodelay(true), worker.set_nodelay(true));
    // Either side's end ends both.
    let _ended = tokio::io::copy_bidirectional(&mut client, &mut worker).await;
}
