//! Redis alone: how long a message takes from one connection through it to another.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use reqwest::Url;

use crate::latency::{Latency, Summary};

/// An answer, in Redis' protocol.
#[derive(Debug, PartialEq, Eq)]
enum Reply {
    Simple(String),
    Number(i64),
    Bytes(Vec<u8>),
    Many(Vec<Reply>),
}

struct Connection {
    write: TcpStream,
    read: BufReader<TcpStream>,
}

impl Connection {
    fn open(url: &Url) -> anyhow::Result<Self> {
        let host = url.host_str().unwrap_or("127.0.0.1");
        let write = TcpStream::connect((host, url.port().unwrap_or(6379)))?;
        write.set_nodelay(true)?;
        write.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut connection = Self {
            read: BufReader::new(write.try_clone()?),
            write,
        };
        if let Some(password) = url.password() {
            connection.say(&[b"AUTH", password.as_bytes()])?;
            let reply = connection.hear()?;
            ensure!(reply == Reply::Simple("OK".to_owned()), "{reply:?}");
        }
        Ok(connection)
    }

    fn say(&mut self, words: &[&[u8]]) -> anyhow::Result<()> {
        let mut command = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            command.extend(format!("${}\r\n", word.len()).bytes());
            command.extend(*word);
            command.extend(b"\r\n");
        }
        Ok(self.write.write_all(&command)?)
    }

    fn hear(&mut self) -> anyhow::Result<Reply> {
        hear(&mut self.read)
    }
}

fn hear(from: &mut impl BufRead) -> anyhow::Result<Reply> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let line = line.strip_suffix("\r\n").context("Redis is gone")?;
    let mut characters = line.chars();
    let kind = characters.next();
    let rest = characters.as_str();
    Ok(match kind {
        Some('+') => Reply::Simple(rest.to_owned()),
        Some(':') => Reply::Number(rest.parse()?),
        Some('$') => {
            let mut bytes = vec![0; rest.parse::<usize>()? + 2];
            from.read_exact(&mut bytes)?;
            bytes.truncate(bytes.len() - 2);
            Reply::Bytes(bytes)
        }
        Some('*') => {
            let count = rest.parse()?;
            let replies = (0..count).map(|_| hear(from));
            Reply::Many(replies.collect::<Result<_, _>>()?)
        }
        _ => bail!("Redis says {line}"),
    })
}

/// From before PUBLISH is written to when the message has been read by a subscriber: `count`
/// messages of `bytes` bytes, `rate` of them in a second.
///
/// # Errors
/// When Redis does not deliver one.
pub(super) fn round_trips(
    url: &str,
    bytes: usize,
    count: u32,
    rate: u32,
) -> anyhow::Result<Summary> {
    let url = Url::parse(url)?;
    let (mut publisher, mut subscriber) = (Connection::open(&url)?, Connection::open(&url)?);
    let channel = format!("bench:{}", uuid::Uuid::new_v4());
    subscriber.say(&[b"SUBSCRIBE", channel.as_bytes()])?;
    subscriber.hear()?;
    let payload = vec![b'x'; bytes];
    let mut latency = Latency::new()?;
    let started = Instant::now();
    for number in 0..count {
        let due = Duration::from_secs(1) * number / rate.max(1);
        sleep(due.saturating_sub(started.elapsed()));
        let before = Instant::now();
        publisher.say(&[b"PUBLISH", channel.as_bytes(), &payload])?;
        let message = subscriber.hear()?;
        latency.record(before.elapsed());
        let is_ours = matches!(
            &message,
            Reply::Many(parts) if parts.last() == Some(&Reply::Bytes(payload.clone()))
        );
        ensure!(is_ours, "Redis delivered something else");
        publisher.hear()?;
    }
    Ok(latency.summary())
}

/// Its version.
///
/// # Errors
/// When it does not answer.
pub(super) fn version(url: &str) -> anyhow::Result<String> {
    let mut connection = Connection::open(&Url::parse(url)?)?;
    connection.say(&[b"INFO", b"server"])?;
    let Reply::Bytes(bytes) = connection.hear()? else {
        bail!("Redis does not say what it is");
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let version = text
        .lines()
        .find_map(|line| line.strip_prefix("redis_version:"));
    Ok(version.context("the version of Redis")?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let mut bytes: &[u8] =
            b"+OK\r\n:-3\r\n*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$4\r\na\r\nb\r\n-ERR\r\n";
        assert_eq!(hear(&mut bytes).unwrap(), Reply::Simple("OK".to_owned()));
        assert_eq!(hear(&mut bytes).unwrap(), Reply::Number(-3));
        let part = |text: &str| Reply::Bytes(text.as_bytes().to_vec());
        assert_eq!(
            hear(&mut bytes).unwrap(),
            Reply::Many(vec![part("message"), part("c"), part("a\r\nb")])
        );
        assert!(hear(&mut bytes).unwrap_err().to_string().contains("-ERR"));
        hear(&mut bytes).unwrap_err();
    }
}
