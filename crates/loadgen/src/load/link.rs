//! HTTP/1.1 over one connection that stays, with as little work as there can be: the client shares
//! its processors with the servers that it measures.

use std::io::{Error, ErrorKind};
use std::ops::Range;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire::Position;

use super::worker::Worker;

/// How many headers an answer may have.
const HEADERS: usize = 64;

/// The greatest answer that is taken.
const LONGEST: usize = 256 << 20;

/// A connection that stays.
pub(crate) struct Link {
    stream: TcpStream,
    buffer: Vec<u8>,
    is_over: bool,
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    /// `X-Event-Seq`.
    pub(crate) position: Option<Position>,
    /// `ETag`.
    pub(crate) etag: Option<&'a str>,
    pub(crate) body: &'a [u8],
}

/// What the first line and the headers say.
#[derive(Debug, Default)]
struct Head {
    length: usize,
    status: u16,
    position: Option<Position>,
    etag: Option<Range<usize>>,
    body: Body,
    is_last: bool,
}

#[derive(Debug, Default, PartialEq)]
enum Body {
    /// To the end of the connection.
    #[default]
    Open,
    Length(usize),
    Chunks,
}

impl Link {
    /// Opens one; the number is that of the connection.
    pub(crate) async fn open(worker: &Worker, number: usize) -> std::io::Result<Self> {
        Ok(Self::new(worker.connect(number).await?))
    }

    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            buffer: Vec::with_capacity(16 << 10),
            is_over: false,
        }
    }

    /// Whether the server has said that it closes the connection.
    pub(crate) const fn is_over(&self) -> bool {
        self.is_over
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// When no whole answer came: what was asked for may have been done.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> std::io::Result<Answer<'_>> {
        self.buffer.clear();
        self.stream.write_all(request).await?;
        let head = loop {
            self.read().await?;
            if let Some(head) = read_head(&self.buffer)? {
                break head;
            }
        };
        let body = match head.body {
            Body::Length(length) => {
                let end = head.length + length;
                while self.buffer.len() < end {
                    self.read().await?;
                }
                head.length..end
            }
            Body::Chunks => loop {
                if let Some(length) = join_chunks(&mut self.buffer, head.length)? {
                    break head.length..head.length + length;
                }
                self.read().await?;
            },
            Body::Open => return Err(bad("an answer without a length")),
        };
        self.is_over = head.is_last;
        let etag = head.etag.and_then(|range| self.buffer.get(range));
        Ok(Answer {
            status: head.status,
            position: head.position,
            etag: etag.and_then(|etag| std::str::from_utf8(etag).ok()),
            body: self.buffer.get(body).unwrap_or_default(),
        })
    }

    async fn read(&mut self) -> std::io::Result<()> {
        if self.buffer.len() > LONGEST {
            return Err(bad("an answer that does not end"));
        }
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn bad(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

fn read_head(bytes: &[u8]) -> std::io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(bytes).map_err(Error::other)? else {
        return Ok(None);
    };
    let status = response.code.unwrap_or(0);
    let mut head = Head {
        length,
        status,
        ..Head::default()
    };
    for header in &*response.headers {
        let value = std::str::from_utf8(header.value).unwrap_or("");
        match header.name {
            name if name.eq_ignore_ascii_case("content-length") => {
                let length = value.parse().map_err(|_| bad("a length that is none"))?;
                head.body = Body::Length(length);
            }
            name if name.eq_ignore_ascii_case("transfer-encoding") => head.body = Body::Chunks,
            name if name.eq_ignore_ascii_case("x-event-seq") => head.position = value.parse().ok(),
            name if name.eq_ignore_ascii_case("etag") => {
                // By its place, because the buffer may move before it is looked at.
                let from = header.value.as_ptr().addr() - bytes.as_ptr().addr();
                head.etag = Some(from..from + value.len());
            }
            name if name.eq_ignore_ascii_case("connection") => {
                head.is_last = value.eq_ignore_ascii_case("close");
            }
            _ => {}
        }
    }
    if matches!(status, 204 | 304) {
        head.body = Body::Length(0);
    }
    Ok(Some(head))
}

/// Joins the chunks from there on, once all are there, and returns their length together.
fn join_chunks(buffer: &mut [u8], start: usize) -> std::io::Result<Option<usize>> {
    let mut chunks = Vec::new();
    let mut at = start;
    loop {
        let rest = buffer.get(at..).unwrap_or_default();
        let parsed = httparse::parse_chunk_size(rest).map_err(|_| bad("a chunk without a size"))?;
        let httparse::Status::Complete((used, size)) = parsed else {
            return Ok(None);
        };
        let from = at + used;
        let to = usize::try_from(size)
            .ok()
            .filter(|size| *size <= LONGEST)
            .map(|size| from + size)
            .ok_or_else(|| bad("a chunk that does not end"))?;
        // Each ends with a line's end, the last one too: there are no trailers.
        if buffer.len() < to + 2 {
            return Ok(None);
        }
        if size == 0 {
            break;
        }
        chunks.push(from..to);
        at = to + 2;
    }
    let mut end = start;
    for chunk in chunks {
        let length = chunk.len();
        buffer.copy_within(chunk, end);
        end += length;
    }
    Ok(Some(end - start))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// A server that gives these answers, a few bytes at a time.
    async fn serve(answers: Vec<&'static str>) -> Link {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.unwrap();
            client.set_nodelay(true).unwrap();
            for answer in answers {
                let mut request = [0; 4];
                client.read_exact(&mut request).await.unwrap();
                assert_eq!(&request, b"ask!");
                for part in answer.as_bytes().chunks(7) {
                    client.write_all(part).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
        });
        let worker = Worker::find(&format!("http://{address}")).await.unwrap();
        Link::open(&worker, 0).await.unwrap()
    }

    #[tokio::test]
    async fn answers_of_all_kinds_over_one_connection() {
        let mut link = serve(vec![
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"7\"\r\n\
             X-Event-Seq: 0198b2f0-0000-7000-8000-000000000000:42\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
            "HTTP/1.1 304 Not Modified\r\nETag: \"8\"\r\n\r\n",
            "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}",
        ])
        .await;
        let answer = link.ask(b"ask!").await.unwrap();
        assert_eq!((answer.status, answer.body), (200, &b"hello"[..]));
        assert_eq!(answer.etag, Some("\"7\""));
        assert_eq!(answer.position.unwrap().seq, 42);
        let answer = link.ask(b"ask!").await.unwrap();
        assert_eq!((answer.status, answer.body), (200, &b"hello world"[..]));
        assert_eq!(answer.position, None);
        let answer = link.ask(b"ask!").await.unwrap();
        assert_eq!((answer.status, answer.etag), (304, Some("\"8\"")));
        assert_eq!(answer.body, b"");
        assert!(!link.is_over());
        let answer = link.ask(b"ask!").await.unwrap();
        assert_eq!((answer.status, answer.body), (503, &b"{}"[..]));
        assert!(link.is_over());
    }

    #[tokio::test]
    async fn half_an_answer_is_none() {
        for answer in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
            "HTTP/1.1 200 OK\r\nContent-Le",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
            "HTTP/1.1 200 OK\r\n\r\nto the end",
            "nonsense",
        ] {
            let mut link = serve(vec![answer]).await;
            link.ask(b"ask!").await.unwrap_err();
        }
    }
}
