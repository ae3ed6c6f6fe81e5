//! Where a Redis is and how it is reached, read from a service's config. The keys are those of redis-py, whose client
//! the same config makes, and `url` and `sentinel`.

use super::failure;
use super::tls::Tls;
use super::wire::Connection;
use crate::runtime::config::source::SourceError;
use redis::{Cmd, ConnectionAddr, ErrorKind, IntoConnectionInfo, RedisResult, cmd};
use serde_json::{Map, Value};
use std::fmt;
use std::time::Duration;

/// The keys of a config that say where a Redis is and how it is reached.
pub const KEYS: [&str; 16] = [
    "url",
    "sentinel",
    "unix_socket_path",
    "host",
    "port",
    "db",
    "username",
    "password",
    "ssl",
    "ssl_cert_reqs",
    "ssl_ca_certs",
    "ssl_certfile",
    "ssl_keyfile",
    "socket_timeout",
    "socket_connect_timeout",
    "ssl_check_hostname",
];

const DEFAULT_PORT: u16 = 6379;
const DEFAULT_SENTINEL_PORT: u16 = 26379;
/// How long a connection may take to come about, its handshake included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
/// However long a config says, an outage is noticed.
const LONGEST_TIMEOUT: Duration = Duration::from_mins(1);

/// Why a config does not say where a Redis is.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key:?} {problem}")]
pub struct EndpointError {
    key: String,
    problem: String,
}

fn wrong(key: &str, problem: impl Into<String>) -> EndpointError {
    EndpointError { key: key.to_owned(), problem: problem.into() }
}

/// Who to say one is.
#[derive(Clone, Default, PartialEq, Eq)]
struct Credentials {
    username: Option<String>,
    password: Option<String>,
}

#[derive(Clone, PartialEq, Eq)]
enum Address {
    Tcp { host: String, port: u16 },
    Unix(String),
    Sentinel { master: String, nodes: Vec<(String, u16)>, credentials: Credentials },
}

/// A place where a Redis is, and the way there. Lives as long as the layer that reads it.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    address: Address,
    db: i64,
    credentials: Credentials,
    tls: Option<Tls>,
    connect_timeout: Duration,
    answer_timeout: Duration,
}

impl fmt::Display for Endpoint {
    /// For messages: without user and password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Tcp { host, port } => write!(formatter, "Redis at {host}:{port} (db {})", self.db),
            Address::Unix(path) => write!(formatter, "Redis at {path} (db {})", self.db),
            Address::Sentinel { master, .. } => write!(formatter, "Redis {master:?} of its sentinels (db {})", self.db),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Endpoint {
    /// Reads a config. Keys that are somebody else's are left alone.
    ///
    /// # Errors
    /// [`EndpointError`] names the key and what is wrong with it.
    pub fn from_config(config: &Map<String, Value>) -> Result<Self, EndpointError> {
        let keys = Keys(config);
        let mut endpoint = Self {
            address: Address::Tcp {
                host: keys.text("host")?.unwrap_or_else(|| "localhost".to_owned()),
                port: keys.port("port")?.unwrap_or(DEFAULT_PORT),
            },
            db: keys.number("db")?.unwrap_or(0),
            credentials: Credentials { username: keys.text("username")?, password: keys.text("password")? },
            tls: if keys.flag("ssl")? == Some(true) { Some(keys.tls()?) } else { None },
            connect_timeout: keys.timeout("socket_connect_timeout")?.unwrap_or(CONNECT_TIMEOUT),
            answer_timeout: keys.timeout("socket_timeout")?.unwrap_or(ANSWER_TIMEOUT),
        };
        if let Some(path) = keys.text("unix_socket_path")? {
            endpoint.address = Address::Unix(path);
        }
        if let Some(url) = keys.text("url")? {
            endpoint.take_url(&url, &keys)?;
        }
        if let Some(sentinel) = keys.0.get("sentinel").filter(|value| !value.is_null()) {
            endpoint.address = sentinels(sentinel)?;
        }
        Ok(endpoint)
    }

    fn take_url(&mut self, url: &str, keys: &Keys<'_>) -> Result<(), EndpointError> {
        // The parser's message could repeat the password.
        let info = url
            .into_connection_info()
            .map_err(|_| wrong("url", "is no URL of a Redis, such as redis://host:6379/1"))?;
        match info.addr() {
            ConnectionAddr::Tcp(host, port) => {
                self.address = Address::Tcp { host: host.clone(), port: *port };
                self.tls = None;
            }
            ConnectionAddr::TcpTls { host, port, insecure, .. } => {
                self.address = Address::Tcp { host: host.clone(), port: *port };
                let tls = keys.tls()?;
                self.tls = Some(Tls { verified: tls.verified && !insecure, ..tls });
            }
            ConnectionAddr::Unix(path) => self.address = Address::Unix(path.display().to_string()),
            _ => return Err(wrong("url", "has a scheme that is not supported; use redis, rediss or unix")),
        }
        self.db = info.redis_settings().db();
        for (mine, theirs) in [
            (&mut self.credentials.username, info.redis_settings().username()),
            (&mut self.credentials.password, info.redis_settings().password()),
        ] {
            if theirs.is_some() {
                *mine = theirs.map(str::to_owned);
            }
        }
        Ok(())
    }

    /// How long an answer may take.
    pub fn answer_timeout(&self) -> Duration {
        self.answer_timeout
    }

    /// A new connection, ready for commands, within the timeouts. Blocks.
    ///
    /// # Errors
    /// [`SourceError`] names the server and what it said.
    pub fn connect(&self, protocol: Protocol) -> Result<Connection, SourceError> {
        self.try_connect(protocol).map_err(|error| failure::explained(self, &error))
    }

    /// As [`Endpoint::connect`], with the error as it came.
    ///
    /// # Errors
    /// What redis-rs says.
    pub fn try_connect(&self, protocol: Protocol) -> RedisResult<Connection> {
        let mut connection = match &self.address {
            Address::Tcp { host, port } => self.reach(host, *port)?,
            Address::Unix(path) => Connection::to_socket(path)?,
            Address::Sentinel { master, nodes, credentials } => {
                let (host, port) = self.ask_sentinels(master, nodes, credentials)?;
                self.reach(&host, port)?
            }
        };
        self.shake_hands(&mut connection, &self.credentials, self.db, protocol)?;
        if matches!(self.address, Address::Sentinel { .. }) {
            require_primary(&mut connection)?;
        }
        Ok(connection)
    }

    fn reach(&self, host: &str, port: u16) -> RedisResult<Connection> {
        Connection::to_host(host, port, self.tls.as_ref(), self.connect_timeout)
    }

    fn shake_hands(
        &self,
        connection: &mut Connection,
        credentials: &Credentials,
        db: i64,
        protocol: Protocol,
    ) -> RedisResult<()> {
        connection.set_timeout(self.connect_timeout);
        for command in introduction(credentials, db, protocol) {
            connection.ask(&command)?.extract_error()?;
        }
        connection.set_timeout(self.answer_timeout);
        connection.trust();
        Ok(())
    }

    /// Where the primary is, by the first sentinel that knows.
    fn ask_sentinels(
        &self,
        master: &str,
        nodes: &[(String, u16)],
        credentials: &Credentials,
    ) -> RedisResult<(String, u16)> {
        let mut last = (ErrorKind::EmptySentinelList, "no sentinel is configured").into();
        for (host, port) in nodes {
            let asked = self.reach(host, *port).and_then(|mut sentinel| {
                self.shake_hands(&mut sentinel, credentials, 0, Protocol::Older)?;
                cmd("SENTINEL").arg("get-master-addr-by-name").arg(master).query(&mut sentinel)
            });
            match asked {
                Ok(Some((host, port))) => return Ok((host, port)),
                Ok(None) => last = (ErrorKind::MasterNameNotFoundBySentinel, "the sentinels do not know it").into(),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// Which protocol to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// RESP2: every server does.
    Older,
    /// RESP3, in which a server can push.
    Pushing,
}

/// What is said before anything else.
fn introduction(credentials: &Credentials, db: i64, protocol: Protocol) -> Vec<Cmd> {
    let mut said = Vec::new();
    let name = credentials.username.as_deref();
    match (protocol, credentials.password.as_deref()) {
        (Protocol::Pushing, Some(password)) => {
            said.push(cmd("HELLO").arg(3).arg("AUTH").arg(name.unwrap_or("default")).arg(password).take());
        }
        (Protocol::Pushing, None) => said.push(cmd("HELLO").arg(3).take()),
        // Without a name it is the form that servers before 6 know.
        (Protocol::Older, Some(password)) => said.push(cmd("AUTH").arg(name).arg(password).take()),
        (Protocol::Older, None) => {}
    }
    if db != 0 {
        said.push(cmd("SELECT").arg(db).take());
    }
    // Whatever is at the other end, it has to show that it is a Redis.
    said.push(cmd("PING"));
    said
}

/// A sentinel may name a primary that has just been demoted.
fn require_primary(connection: &mut Connection) -> RedisResult<()> {
    let role: Vec<redis::Value> = cmd("ROLE").query(connection)?;
    match role.first().map(redis::from_redis_value_ref::<String>) {
        Some(Ok(role)) if role == "master" => Ok(()),
        _ => Err((ErrorKind::MasterNameNotFoundBySentinel, "it is a replica at the moment").into()),
    }
}

/// A config's values by key, of the types that they must have.
struct Keys<'a>(&'a Map<String, Value>);

impl Keys<'_> {
    fn get<T>(
        &self,
        key: &str,
        expected: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<T>, EndpointError> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| wrong(key, format!("must be {expected}"))),
        }
    }

    fn text(&self, key: &str) -> Result<Option<String>, EndpointError> {
        self.get(key, "a text", |value| value.as_str().map(str::to_owned))
    }

    /// A number, or a text that spells one: settings from the environment are texts.
    fn number(&self, key: &str) -> Result<Option<i64>, EndpointError> {
        self.get(key, "a whole number", |value| match value {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_i64(),
        })
    }

    fn port(&self, key: &str) -> Result<Option<u16>, EndpointError> {
        let Some(number) = self.number(key)? else { return Ok(None) };
        match u16::try_from(number) {
            Ok(port) if port > 0 => Ok(Some(port)),
            _ => Err(wrong(key, "must be a port, from 1 to 65535")),
        }
    }

    fn timeout(&self, key: &str) -> Result<Option<Duration>, EndpointError> {
        self.get(key, "a number of seconds above 0", |value| {
            let timeout = value.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())?;
            (!timeout.is_zero()).then_some(timeout.min(LONGEST_TIMEOUT))
        })
    }

    fn flag(&self, key: &str) -> Result<Option<bool>, EndpointError> {
        self.get(key, "true or false", Value::as_bool)
    }

    fn file(&self, key: &str) -> Result<Option<Vec<u8>>, EndpointError> {
        let Some(path) = self.text(key)? else { return Ok(None) };
        std::fs::read(&path)
            .map(Some)
            .map_err(|error| wrong(key, format!("names the file {path:?}, which cannot be read: {error}")))
    }

    fn tls(&self) -> Result<Tls, EndpointError> {
        let verified = match self.text("ssl_cert_reqs")?.as_deref() {
            None | Some("required") => true,
            Some("none" | "optional") => false,
            Some(_) => return Err(wrong("ssl_cert_reqs", "must be \"required\" or \"none\"")),
        };
        let own = match (self.file("ssl_certfile")?, self.file("ssl_keyfile")?) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err(wrong("ssl_certfile", "goes with ssl_keyfile: name both or neither")),
        };
        let any_hostname = self.flag("ssl_check_hostname")? == Some(false);
        Ok(Tls { verified, any_hostname, authorities: self.file("ssl_ca_certs")?, own })
    }
}

fn sentinels(value: &Value) -> Result<Address, EndpointError> {
    let expected = "must be an object with \"master\" and \"nodes\", a list of [host, port]";
    let Some(map) = value.as_object() else { return Err(wrong("sentinel", expected)) };
    let keys = Keys(map);
    let master = keys.text("master")?.ok_or_else(|| wrong("sentinel", expected))?;
    let nodes: Option<Vec<_>> =
        map.get("nodes").and_then(Value::as_array).and_then(|nodes| nodes.iter().map(sentinel_node).collect());
    match nodes {
        Some(nodes) if !nodes.is_empty() => Ok(Address::Sentinel {
            master,
            nodes,
            credentials: Credentials { username: keys.text("username")?, password: keys.text("password")? },
        }),
        _ => Err(wrong("sentinel", expected)),
    }
}

fn sentinel_node(node: &Value) -> Option<(String, u16)> {
    match node {
        Value::String(host) => Some((host.clone(), DEFAULT_SENTINEL_PORT)),
        Value::Array(pair) => match pair.as_slice() {
            [host, port] => Some((host.as_str()?.to_owned(), u16::try_from(port.as_u64()?).ok()?)),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(all(test, not(loom)))]
#[allow(clippy::unwrap_used, reason = "a test that unwraps says that this cannot fail here")]
mod tests {
    use super::*;
    use serde_json::json;

    fn endpoint(config: &Value) -> Result<Endpoint, EndpointError> {
        Endpoint::from_config(config.as_object().unwrap())
    }

    fn label(config: &Value) -> String {
        endpoint(config).unwrap().to_string()
    }

    #[test]
    fn host_port_and_db_have_the_usual_defaults() {
        assert_eq!(label(&json!({})), "Redis at localhost:6379 (db 0)");
        assert_eq!(label(&json!({"host": "r", "port": "6380", "db": 3})), "Redis at r:6380 (db 3)");
    }

    #[test]
    fn a_url_says_it_all_and_its_password_is_not_shown() {
        let config = json!({"url": "redis://app:hush@r:6380/2", "host": "other"});
        assert_eq!(label(&config), "Redis at r:6380 (db 2)");
        let endpoint = endpoint(&config).unwrap();
        assert_eq!(endpoint.credentials.password.as_deref(), Some("hush"));
        assert!(!format!("{endpoint:?}").contains("hush"));
    }

    #[test]
    fn a_secure_url_is_encrypted_and_verified() {
        let tls = endpoint(&json!({"url": "rediss://r"})).unwrap().tls.unwrap();
        assert!(tls.verified);
        assert!(!endpoint(&json!({"ssl": true, "ssl_cert_reqs": "none"})).unwrap().tls.unwrap().verified);
        assert!(endpoint(&json!({"ssl": false})).unwrap().tls.is_none());
    }

    #[test]
    fn sentinels_are_named_by_master_and_nodes() {
        let config = json!({"sentinel": {"master": "main", "nodes": [["a", 1], "b"]}, "db": 1});
        assert_eq!(label(&config), "Redis \"main\" of its sentinels (db 1)");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_key_and_without_secrets() {
        for (config, key) in [
            (json!({"port": 70000}), "port"),
            (json!({"port": "many"}), "port"),
            (json!({"host": 5}), "host"),
            (json!({"url": "http://app:hush@r"}), "url"),
            (json!({"socket_timeout": 0}), "socket_timeout"),
            (json!({"ssl": true, "ssl_ca_certs": "/no/such/file"}), "ssl_ca_certs"),
            (json!({"ssl": true, "ssl_keyfile": "/no/such/file"}), "ssl_keyfile"),
            (json!({"sentinel": {"master": "main", "nodes": []}}), "sentinel"),
            (json!({"sentinel": ["a"]}), "sentinel"),
        ] {
            let message = endpoint(&config).unwrap_err().to_string();
            assert!(message.contains(key) && !message.contains("hush"), "{message}");
        }
    }
}
