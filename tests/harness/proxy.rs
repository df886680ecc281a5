//! A CONNECT proxy that leads to one port on loopback, whatever the name, and dies where it is told to.
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What the proxy does with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// What a proxy is for.
    Connects,
    /// The same; but once the connection is there, no other will be accepted.
    ConnectsAndLeaves,
    /// Ends the connection before a byte was read.
    EndsAtOnce,
    /// Ends it after ten bytes of the request.
    EndsInRequest,
    /// Ends it after the request, without an answer.
    EndsUnanswered,
    /// Ends it in the middle of the answer's first line.
    EndsInAnswer,
    /// Answers this instead, and ends the connection.
    Answers(&'static str),
    /// Says 200, and ends the connection.
    EndsAfterYes,
    /// Ends it in the middle of what the tenant says in the handshake.
    EndsInHandshake,
    /// Ends it instead of passing the request on: the tenant never sees it.
    KeepsRequest,
    /// Passes the request on, waits for the tenant's answer, and ends the connection instead of passing that back.
    KeepsAnswer,
    /// Passes on half of the tenant's answer.
    CutsAnswer,
}

/// It stops when this is dropped.
pub struct Proxy {
    /// Host and port.
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    over: Arc<AtomicBool>,
}

impl Proxy {
    /// Leads to a port on loopback. Connections are counted from 0.
    pub fn to(port: u16, does: impl Fn(usize) -> Does + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (seen, over) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicBool>::default());
        let (requests, ended) = (Arc::clone(&seen), Arc::clone(&over));
        thread::spawn(move || {
            let mut listener = Some(listener);
            for number in 0.. {
                let Some(Ok((stream, _))) = listener.as_ref().map(TcpListener::accept) else { return };
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let does = does(number);
                if does == Does::ConnectsAndLeaves {
                    listener = None;
                }
                let requests = Arc::clone(&requests);
                // How a connection ends is the business of whoever is at its ends.
                thread::spawn(move || drop(serve(&stream, port, does, &requests)));
            }
        });
        Self { address, seen, over }
    }

    /// The requests to connect, as far as they were read.
    pub fn requests(&self) -> Vec<String> {
        self.seen.lock().expect("no panic before").clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes it up.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(mut client: &TcpStream, port: u16, does: Does, seen: &Mutex<Vec<String>>) -> io::Result<()> {
    if does == Does::EndsAtOnce {
        return client.shutdown(Shutdown::Both);
    }
    if does == Does::EndsInRequest {
        client.read_exact(&mut [0; 10])?;
        return client.shutdown(Shutdown::Both);
    }
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    seen.lock().expect("no panic before").push(String::from_utf8_lossy(&head).into_owned());
    match does {
        Does::EndsUnanswered => return client.shutdown(Shutdown::Both),
        Does::EndsInAnswer => {
            client.write_all(b"HTTP/1.1 2")?;
            return client.shutdown(Shutdown::Both);
        }
        Does::Answers(status) => {
            write!(client, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n")?;
            return client.shutdown(Shutdown::Both);
        }
        _ => client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?,
    }
    if does == Does::EndsAfterYes {
        return client.shutdown(Shutdown::Both);
    }
    let tenant = TcpStream::connect(("127.0.0.1", port))?;
    let tunnel = Tunnel { client, tenant: &tenant, does, passed: AtomicUsize::new(0) };
    thread::scope(|scope| {
        scope.spawn(|| tunnel.forth());
        tunnel.back();
    });
    Ok(())
}

/// One record of TLS, with its header.
fn record(mut stream: &TcpStream) -> io::Result<Vec<u8>> {
    let mut record = vec![0; 5];
    stream.read_exact(&mut record)?;
    let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
    record.resize(5 + length, 0);
    stream.read_exact(&mut record[5..])?;
    Ok(record)
}

/// Bytes on their way, both ways. What is in them cannot be seen, but which records they make up.
struct Tunnel<'a> {
    client: &'a TcpStream,
    tenant: &'a TcpStream,
    does: Does,
    /// How many encrypted records the client has sent.
    passed: AtomicUsize,
}

impl Tunnel<'_> {
    /// Of the records that TLS 1.3 encrypts, the first of the client's ends the handshake. The second is the request.
    const REQUEST: usize = 2;
    const ENCRYPTED: u8 = 23;
    /// Tickets for a later session are shorter than this, answers with clients in them longer.
    const ANSWER: usize = 600;

    fn forth(&self) {
        let passing = || -> io::Result<()> {
            loop {
                let record = record(self.client)?;
                let encrypted = record[0] == Self::ENCRYPTED;
                if encrypted
                    && self.passed.load(Ordering::SeqCst) + 1 == Self::REQUEST
                    && self.does == Does::KeepsRequest
                {
                    return Ok(());
                }
                // Counted before it is passed on: the answer must find it counted.
                self.passed.fetch_add(usize::from(encrypted), Ordering::SeqCst);
                let mut tenant = self.tenant;
                tenant.write_all(&record)?;
            }
        };
        let _ = passing();
        self.end();
    }

    fn back(&self) {
        let passing = || -> io::Result<()> {
            let mut client = self.client;
            loop {
                let record = record(self.tenant)?;
                let answer = self.passed.load(Ordering::SeqCst) >= Self::REQUEST && record.len() > Self::ANSWER;
                match self.does {
                    Does::EndsInHandshake => return client.write_all(&record[..record.len() / 2]),
                    Does::KeepsAnswer if answer => return Ok(()),
                    Does::CutsAnswer if answer => return client.write_all(&record[..record.len() / 2]),
                    _ => client.write_all(&record)?,
                }
            }
        };
        let _ = passing();
        self.end();
    }

    fn end(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.tenant.shutdown(Shutdown::Both);
    }
}
