//! A server in a few lines, for answers that the pretend tenant does not give.
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// What a request is answered with, and what becomes of the connection.
pub struct Reply {
    bytes: Vec<u8>,
    closes: bool,
}

/// An answer with a body, on a connection that stays.
pub fn json(status: u16, body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let mut bytes = format!(
        "HTTP/1.1 {status} Whatever\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    Reply { bytes, closes: false }
}

/// Bytes as they are, and then the end of the connection.
pub fn last(bytes: &str) -> Reply {
    Reply { bytes: bytes.as_bytes().to_vec(), closes: true }
}

/// Bytes as they are, on a connection that stays.
pub fn open(bytes: &str) -> Reply {
    Reply { bytes: bytes.as_bytes().to_vec(), closes: false }
}

/// What came: for each connection the requests on it.
type Seen = Arc<Mutex<Vec<Vec<String>>>>;

/// It stops when this is dropped.
pub struct Raw {
    pub url: String,
    seen: Seen,
    server: AbortHandle,
}

impl Raw {
    /// Answers every request, of which it is given the whole text.
    pub async fn answering(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (seen, answer) = (Seen::default(), Arc::new(answer));
        let all = Arc::clone(&seen);
        let server = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let number = {
                    let mut all = all.lock().expect("no panic before");
                    all.push(Vec::new());
                    all.len() - 1
                };
                let (all, answer) = (Arc::clone(&all), Arc::clone(&answer));
                tokio::spawn(async move { serve(stream, number, &all, &*answer).await });
            }
        });
        Self { url, seen, server: server.abort_handle() }
    }

    /// One body for every request.
    pub async fn always(body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self::answering(move |_| json(200, &body)).await
    }

    /// The requests, by the connection that they came on.
    pub fn connections(&self) -> Vec<Vec<String>> {
        self.seen.lock().expect("no panic before").clone()
    }

    /// All requests.
    pub fn requests(&self) -> Vec<String> {
        self.connections().concat()
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(mut stream: TcpStream, number: usize, seen: &Seen, answer: &(dyn Fn(&str) -> Reply + Send + Sync)) {
    while let Some(request) = request(&mut stream).await {
        seen.lock().expect("no panic before")[number].push(request.clone());
        let reply = answer(&request);
        if stream.write_all(&reply.bytes).await.is_err() || reply.closes {
            return;
        }
    }
}

/// The next request as text; none where the connection ended.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.to_ascii_lowercase();
        let length = length.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        if body.len() >= length {
            return Some(text.into_owned());
        }
    }
}

/// A parameter of the query of a request's first line.
pub fn parameter(request: &str, name: &str) -> Option<String> {
    let query = request.split_whitespace().nth(1)?.split_once('?')?.1;
    url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
