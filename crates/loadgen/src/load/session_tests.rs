//! Sessions against a server of the tests' own, which says what it is told to say.

use std::time::Duration;

use clap::Parser;
use indicatif::ProgressBar;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, watch};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::timeout;
use wire::Seq;

use super::args::Common;
use super::arrivals::Pace;
use super::check::Faults;
use super::clock;
use super::commands::{Group, Setup, Target};
use super::crowd::{Crowd, Heard};
use super::frame_text::Mark;
use super::subject::Choice;
use super::worker::Worker;

const EPOCH: &str = "0198b2f0-0000-7000-8000-000000000000";

const ACCEPTED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// What is told on the command line.
#[derive(Debug, clap::Parser)]
struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    choice: Choice,
}

/// The deadline of everything.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a server is broken.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    Skips(Seq),
    Doubles(Seq),
    Swaps(Seq),
}

/// A log that grows, and how it is told.
#[derive(Clone)]
struct Server {
    head: watch::Receiver<Seq>,
    fault: Fault,
}

fn frame(flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap();
    let mut frame = vec![flags];
    if length < 126 {
        frame.push(u8::try_from(length).unwrap());
    } else {
        frame.push(126);
        frame.extend(length.to_be_bytes());
    }
    frame.extend(payload);
    frame
}

impl Server {
    async fn start(self) -> Worker {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        spawn_local(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let server = self.clone();
                // A client that is gone ends it.
                spawn_local(async move { server.serve(stream).await.ok() });
            }
        });
        Worker::find(&format!("ws://{address}/")).await.unwrap()
    }

    async fn serve(mut self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            stream.read_buf(&mut request).await?;
        }
        let request = String::from_utf8(request).unwrap();
        assert!(request.contains("Authorization: Bearer token"), "{request}");
        let since = request.split_once("&since=").map(|(_, rest)| {
            let (since, rest) = rest.split_once('&').unwrap();
            assert!(rest.starts_with(&format!("epoch={EPOCH} ")), "{rest}");
            since.parse().unwrap()
        });
        let head = *self.head.borrow();
        let connect = format!(
            r#"{{"type":"restaurant_connect","epoch":"{EPOCH}","seq":{head},"resumed":{},"worker_id":"w","heartbeat_seconds":25}}"#,
            since.is_some()
        );
        let mut answer = ACCEPTED.to_vec();
        // The first frame comes with the answer.
        answer.extend(frame(0x81, connect.as_bytes()));
        stream.write_all(&answer).await?;
        self.ping(&mut stream).await?;
        let mut next = since.unwrap_or(head) + 1;
        loop {
            let head = *self.head.borrow_and_update();
            let mut bytes = Vec::new();
            while next <= head {
                for seq in self.told(next) {
                    bytes.extend(event(seq));
                }
                next += 1;
            }
            // In pieces that end anywhere.
            for piece in bytes.chunks(700) {
                stream.write_all(piece).await?;
                tokio::task::yield_now().await;
            }
            if self.head.changed().await.is_err() {
                return Ok(());
            }
        }
    }

    /// A ping must be answered with its payload.
    async fn ping(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        stream.write_all(&frame(0x89, b"hi")).await?;
        let mut pong = [0; 8];
        stream.read_exact(&mut pong).await?;
        let [flags, length, a, b, _, _, h, i] = pong;
        assert_eq!((flags, length, h ^ a, i ^ b), (0x8a, 0x82, b'h', b'i'));
        Ok(())
    }

    fn told(&self, seq: Seq) -> Vec<Seq> {
        match self.fault {
            Fault::Skips(one) if seq == one => vec![],
            Fault::Doubles(one) if seq == one => vec![seq, seq],
            Fault::Swaps(one) if seq == one => vec![],
            Fault::Swaps(one) if seq == one + 1 => vec![seq, one],
            _ => vec![seq],
        }
    }
}

fn event(seq: Seq) -> Vec<u8> {
    let at = clock::now();
    let notes = Mark { at, worker: 0 }.text();
    let padding = "x".repeat(300);
    let text = format!(
        r#"{{"type":"guest_updated","seq":{seq},"data":{{"name":"{padding}","notes":"{notes}"}}}}"#
    );
    frame(0x81, text.as_bytes())
}

/// Twelve sessions at two workers; events while they come and go, before all are cut, and after it.
async fn evening(fault: Fault, roams: bool) -> Heard {
    let (log, head) = watch::channel(5);
    let sound = Server {
        head: head.clone(),
        fault: Fault::None,
    };
    let workers = vec![sound.start().await, Server { head, fault }.start().await];
    let group = Group {
        path: "/realtime?restaurant_id=x".to_owned(),
        token: Some("token".to_owned()),
    };
    let mut crowd = Crowd::within(Setup {
        target: Target::Qtable,
        workers,
        groups: vec![group],
        part: 0,
        parts: 1,
        at_once: 3,
        stays: 0.02,
    })
    .await
    .unwrap();
    let bar = ProgressBar::hidden();
    crowd.open(12, &bar).await.unwrap();
    crowd.roam(roams).await.unwrap();
    // Each has been away about twice.
    let most = if roams { 36 } else { 12 };
    for head in 6..=60 {
        log.send_replace(head);
        tokio::task::yield_now().await;
    }
    while crowd.status().await.unwrap().connections < most {
        tokio::task::yield_now().await;
    }
    crowd.roam(false).await.unwrap();
    crowd.settle(&[60]).await.unwrap();
    // What happens while nobody is there is told to whom comes back.
    let (cut, ()) = tokio::join!(crowd.cut(), async {
        log.send_replace(100);
    });
    cut.unwrap();
    log.send_replace(120);
    crowd.settle(&[120]).await.unwrap();
    crowd.finish(&[120]).await.unwrap()
}

async fn heard(fault: Fault, roams: bool) -> Heard {
    let local = LocalSet::new();
    let evening = local.run_until(evening(fault, roams));
    timeout(PATIENCE, evening).await.unwrap()
}

#[tokio::test]
async fn every_session_hears_all_once_and_in_order_though_it_was_cut() {
    let heard = heard(Fault::None, false).await;
    assert_eq!(heard.faults, Faults::default());
    assert_eq!(heard.events, 12 * 115);
    assert_eq!(heard.connections, 24);
    assert_eq!(heard.returns.summary().count, 12);
    assert_eq!(heard.resyncs, 0);
    // Six of them are at the other worker.
    let (all, elsewhere) = (heard.latency.summary(), heard.latency_elsewhere.summary());
    assert!(
        all.count > elsewhere.count && elsewhere.count > 0,
        "{all:?}"
    );
    assert_eq!(heard.troubles.ended.len(), 0, "{}", heard.troubles.words());
}

/// Passes on what is posted to it, as Nchan does.
async fn pass_on(listener: TcpListener, posts: broadcast::Sender<Vec<u8>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let posts = posts.clone();
        // A client that is gone ends it.
        spawn_local(async move { pass_on_one(stream, &posts).await.ok() });
    }
}

async fn pass_on_one(
    mut stream: TcpStream,
    posts: &broadcast::Sender<Vec<u8>>,
) -> std::io::Result<()> {
    let mut heard = posts.subscribe();
    let mut request = String::new();
    loop {
        let mut bytes = Vec::new();
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
        request.push_str(std::str::from_utf8(&bytes).unwrap());
        let Some((head, body)) = request.split_once("\r\n\r\n") else {
            continue;
        };
        if head.starts_with("GET /sub/load-") {
            stream.write_all(ACCEPTED).await?;
            while let Ok(post) = heard.recv().await {
                stream.write_all(&frame(0x81, &post)).await?;
            }
            return Ok(());
        }
        assert!(head.starts_with("POST /pub/load-"), "{head}");
        if body.len() == 300 {
            posts.send(body.as_bytes().to_vec()).unwrap();
            let answer = "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok";
            stream.write_all(answer.as_bytes()).await?;
            request.clear();
        }
    }
}

async fn evening_at_nchan() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    spawn_local(pass_on(listener, broadcast::Sender::new(100)));
    let args = Args::try_parse_from([
        "test",
        "--target=nchan",
        &format!("--subscribe=ws://{address}/sub/{{channel}}"),
        &format!("--publish=http://{address}/pub/{{channel}}"),
        "--payload-bytes=300",
    ]);
    let Args { common, choice } = args.unwrap();
    let (workers, subject) = choice.open(&common).await.unwrap();
    let mut crowd = Crowd::within(subject.setup(&workers)).await.unwrap();
    crowd.open(5, &ProgressBar::hidden()).await.unwrap();
    let pace = |rate| Pace {
        rate,
        length: PATIENCE,
        most: 20,
    };
    let first = subject
        .make(&workers, 3, pace(None), 0, false)
        .await
        .unwrap();
    let head = first.head;
    let second = subject
        .make(&workers, 3, pace(Some(1000.0)), head, true)
        .await
        .unwrap();
    assert_eq!((first.head, second.head), (20, 40));
    crowd.settle(&[40]).await.unwrap();
    let heard = crowd.finish(&[40]).await.unwrap();
    assert_eq!(heard.faults, Faults::default());
    assert_eq!((heard.events, heard.event_bytes), (5 * 40, 5 * 40 * 300));
    // Only those of the second half carry a mark.
    assert_eq!(heard.latency.summary().count, 5 * 20);
}

#[tokio::test]
async fn nchan_is_measured_by_the_same_sessions() {
    let local = LocalSet::new();
    let evening = local.run_until(evening_at_nchan());
    timeout(PATIENCE, evening).await.unwrap();
}

#[tokio::test]
async fn who_comes_and_goes_misses_nothing() {
    let heard = heard(Fault::None, true).await;
    assert_eq!(heard.faults, Faults::default());
    assert_eq!(heard.events, 12 * 115);
    assert!(heard.connections >= 48, "{}", heard.connections);
    assert_eq!(heard.troubles.ended.len(), 0, "{}", heard.troubles.words());
}

#[tokio::test]
async fn what_a_broken_server_does_to_an_event_is_found_in_each_of_its_sessions() {
    for (fault, lost, duplicated, disordered) in [
        (Fault::Skips(40), 6, 0, 0),
        (Fault::Doubles(40), 0, 6, 0),
        (Fault::Swaps(40), 0, 0, 6),
        (Fault::Skips(110), 6, 0, 0),
    ] {
        let expected = Faults {
            lost,
            duplicated,
            disordered,
        };
        assert_eq!(heard(fault, false).await.faults, expected, "{fault:?}");
    }
}
