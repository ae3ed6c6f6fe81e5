//! A connection to a Redis. Words and answers are redis-rs's; the socket is ours, so that every answer has a deadline and a
//! size, whatever is at the other end, and so that whoever waits can be woken.

use super::tls::{self, Tls};
use redis::{Cmd, ConnectionLike, Parser, RedisError, RedisResult, Value};
use rustls::{ClientConnection, StreamOwned};
use std::io::{Error, ErrorKind, Read, Result as IoResult, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// The longest answer: a Redis holds no value over 512 MiB.
const LONGEST_ANSWER: usize = 600 * 1024 * 1024;
/// What a server may say before it has shown to be a Redis.
const LONGEST_GREETING: usize = 64 * 1024;
/// How much longer an answer may take for each megabyte of it, and of what it answers: on a slow line.
const PER_MEGABYTE: Duration = Duration::from_millis(100);
const MEGABYTE: usize = 1_000_000;

enum Transport {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

struct Stream {
    transport: Transport,
    /// What the socket was told last: telling it takes longer than reading from it.
    timeout: Duration,
}

/// Ends the waiting on a connection from outside.
pub enum Waker {
    /// Of a TCP connection.
    Tcp(TcpStream),
    /// Of a local one.
    Unix(UnixStream),
}

impl Waker {
    /// Closes the connection in both directions: who waits on it is told that it has ended.
    pub fn wake(&self) {
        // What is closed already needs no waking.
        let _ = match self {
            Self::Tcp(socket) => socket.shutdown(Shutdown::Both),
            Self::Unix(socket) => socket.shutdown(Shutdown::Both),
        };
    }
}

impl Stream {
    fn waker(&self) -> IoResult<Waker> {
        match &self.transport {
            Transport::Tcp(socket) => socket.try_clone().map(Waker::Tcp),
            Transport::Tls(stream) => stream.sock.try_clone().map(Waker::Tcp),
            Transport::Unix(socket) => socket.try_clone().map(Waker::Unix),
        }
    }

    fn set_timeout(&mut self, timeout: Duration) -> IoResult<()> {
        // Zero would mean none.
        let timeout = timeout.max(Duration::from_millis(1));
        if timeout == self.timeout {
            return Ok(());
        }
        let given = Some(timeout);
        match &self.transport {
            Transport::Tcp(socket) => socket.set_read_timeout(given).and_then(|()| socket.set_write_timeout(given)),
            Transport::Tls(stream) => {
                stream.sock.set_read_timeout(given).and_then(|()| stream.sock.set_write_timeout(given))
            }
            Transport::Unix(socket) => socket.set_read_timeout(given).and_then(|()| socket.set_write_timeout(given)),
        }?;
        self.timeout = timeout;
        Ok(())
    }

    fn inner(&mut self) -> &mut dyn ReadWrite {
        match &mut self.transport {
            Transport::Tcp(socket) => socket,
            Transport::Tls(stream) => stream,
            Transport::Unix(socket) => socket,
        }
    }
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

/// One exchange: what is left of its time and of its size. A server that says something now and then may take twice the
/// time, and no more.
struct Exchange<'a> {
    stream: &'a mut Stream,
    deadline: Instant,
    size: usize,
    most: usize,
}

impl<'a> Exchange<'a> {
    fn begin(stream: &'a mut Stream, time: Duration, most: usize) -> IoResult<Self> {
        stream.set_timeout(time)?;
        Ok(Self { stream, deadline: Instant::now() + time, size: 0, most })
    }

    /// Does something with the stream, again if a signal interrupts it, until the deadline.
    fn in_time(&mut self, mut act: impl FnMut(&mut dyn ReadWrite) -> IoResult<usize>) -> IoResult<usize> {
        loop {
            if Instant::now() >= self.deadline {
                return Err(ErrorKind::TimedOut.into());
            }
            match act(self.stream.inner()) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(ErrorKind::TimedOut.into()),
                other => return other,
            }
        }
    }

    fn send(&mut self, mut bytes: &[u8]) -> IoResult<()> {
        while !bytes.is_empty() {
            match self.in_time(|stream| stream.write(bytes))? {
                0 => return Err(ErrorKind::WriteZero.into()),
                sent => bytes = &bytes[sent..],
            }
        }
        self.in_time(|stream| stream.flush().map(|()| 0)).map(drop)
    }
}

impl Read for Exchange<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> IoResult<usize> {
        let read = self.in_time(|stream| stream.read(buffer))?;
        let megabytes_before = self.size / MEGABYTE;
        self.size += read;
        if self.size > self.most {
            return Err(Error::new(ErrorKind::InvalidData, "the answer is longer than any of a Redis"));
        }
        self.deadline += PER_MEGABYTE * u32::try_from(self.size / MEGABYTE - megabytes_before).unwrap_or(u32::MAX);
        Ok(read)
    }
}

/// A connection. Lives until it is dropped; after an error of its own it is of no use any more.
pub struct Connection {
    stream: Stream,
    parser: Parser,
    timeout: Duration,
    longest: usize,
    open: bool,
}

impl Connection {
    /// Connects to a host within a time, and over TLS if so configured.
    ///
    /// # Errors
    /// What the system, or the TLS of the other end, says.
    pub fn to_host(host: &str, port: u16, tls: Option<&Tls>, within: Duration) -> RedisResult<Self> {
        let socket = connect_first(host, port, within)?;
        let Some(tls) = tls else { return Ok(Self::over(Transport::Tcp(socket))) };
        let session = tls::session(tls, host)?;
        Ok(Self::over(Transport::Tls(Box::new(StreamOwned::new(session, socket)))))
    }

    /// Connects to a local socket.
    ///
    /// # Errors
    /// What the system says.
    pub fn to_socket(path: &str) -> RedisResult<Self> {
        Ok(Self::over(Transport::Unix(UnixStream::connect(path)?)))
    }

    fn over(transport: Transport) -> Self {
        let stream = Stream { transport, timeout: Duration::ZERO };
        Self { stream, parser: Parser::new(), timeout: Duration::ZERO, longest: LONGEST_GREETING, open: true }
    }

    /// From now on an answer may take so long.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// It has shown to be a Redis: its answers may be as long as values are.
    pub fn trust(&mut self) {
        self.longest = LONGEST_ANSWER;
    }

    /// What ends the waiting on it from outside.
    ///
    /// # Errors
    /// What the system says.
    pub fn waker(&self) -> RedisResult<Waker> {
        Ok(self.stream.waker()?)
    }

    /// Sends commands.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn send(&mut self, packed: &[u8]) -> RedisResult<()> {
        let time = self.time_for(packed.len());
        let sent = Exchange::begin(&mut self.stream, time, self.longest).and_then(|mut exchange| exchange.send(packed));
        self.open &= sent.is_ok();
        Ok(sent?)
    }

    /// The next answer to a command of so many bytes, or what is pushed.
    ///
    /// # Errors
    /// The connection is lost, or what it says is not the protocol. What the server calls an error is a value.
    pub fn receive(&mut self, asked: usize) -> RedisResult<Value> {
        self.receive_within(self.time_for(asked)).inspect_err(|_| self.open = false)
    }

    /// What is pushed, or the next answer, within a time. After a timeout the next call goes on where this one ended.
    ///
    /// # Errors
    /// As for [`Connection::receive`], and a timeout.
    pub fn receive_within(&mut self, time: Duration) -> RedisResult<Value> {
        let exchange = Exchange::begin(&mut self.stream, time, self.longest)?;
        self.parser.parse_value(exchange)
    }

    fn time_for(&self, bytes: usize) -> Duration {
        self.timeout + PER_MEGABYTE * u32::try_from(bytes / MEGABYTE).unwrap_or(u32::MAX)
    }

    /// Asks one thing.
    ///
    /// # Errors
    /// As for [`Connection::receive`], and what the server calls an error.
    pub fn ask(&mut self, command: &Cmd) -> RedisResult<Value> {
        self.req_packed_command(&command.get_packed_command())
    }
}

fn connect_first(host: &str, port: u16, within: Duration) -> RedisResult<TcpStream> {
    let deadline = Instant::now() + within;
    let mut last: RedisError = Error::new(ErrorKind::NotFound, "the host has no address").into();
    for address in (host, port).to_socket_addrs()? {
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        match TcpStream::connect_timeout(&address, left) {
            Ok(socket) => {
                socket.set_nodelay(true)?;
                return Ok(socket);
            }
            Err(error) => last = error.into(),
        }
    }
    Err(last)
}

impl ConnectionLike for Connection {
    fn req_packed_command(&mut self, packed: &[u8]) -> RedisResult<Value> {
        self.send(packed)?;
        self.receive(packed.len())
    }

    fn req_packed_commands(&mut self, packed: &[u8], offset: usize, count: usize) -> RedisResult<Vec<Value>> {
        self.send(packed)?;
        let answers: RedisResult<Vec<Value>> = (0..offset + count).map(|_| self.receive(packed.len())).collect();
        answers.map(|mut answers| answers.split_off(offset))
    }

    fn get_db(&self) -> i64 {
        0
    }

    fn check_connection(&mut self) -> bool {
        self.ask(&redis::cmd("PING")).is_ok()
    }

    fn is_open(&self) -> bool {
        self.open
    }
}
