//! What went wrong with a Redis, in words that name the server, the reason and the remedy.

use super::endpoint::Endpoint;
use crate::runtime::config::source::SourceError;
use redis::{ErrorKind, RedisError, ServerError};

/// What an answer with this code means, and whether it passes by itself.
enum Meaning {
    Passes(&'static str),
    Lasts(&'static str),
}

/// Codes: <https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors>, and `src/server.c` of Redis.
fn meaning(code: &str) -> Option<Meaning> {
    use Meaning::{Lasts, Passes};
    Some(match code {
        "LOADING" => Passes("is loading its data; it answers when that is done"),
        "MASTERDOWN" => Passes("is a replica that has lost its primary"),
        "CLUSTERDOWN" | "TRYAGAIN" => Passes("belongs to a cluster that is not complete at the moment"),
        "BUSY" => Passes("is busy with a script"),
        "READONLY" => Lasts("is a read-only replica; configure the primary, or its sentinels"),
        "OOM" => Lasts("is full; raise its maxmemory or remove data"),
        "MISCONF" | "NOREPLICAS" => Lasts("takes no writes at the moment"),
        "WRONGTYPE" => Lasts(
            "has a key of ours with a value of another type, so somebody else uses it; configure another db, or remove \
             the key",
        ),
        "NOPERM" => Lasts("does not permit this to the configured user; extend its ACL"),
        "WRONGPASS" => Lasts("refuses the configured user or password"),
        "NOAUTH" => Lasts("wants a password; configure one"),
        "MOVED" | "ASK" | "CROSSSLOT" => {
            Lasts("is a node of a cluster, which has no place for these keys here; configure a proxy or another Redis")
        }
        "DENIED" => Lasts("is in protected mode; configure a password on it"),
        _ => return None,
    })
}

/// The error as it concerns `endpoint`.
pub fn explained(endpoint: &Endpoint, error: &RedisError) -> SourceError {
    let (code, words) = server_words(error);
    if let Some(code) = &code {
        let said = if words.is_empty() { code.clone() } else { format!("{code} {words}") };
        return match meaning(code) {
            Some(Meaning::Passes(what)) => SourceError::Unavailable(format!("{endpoint} {what} (it says: {said})")),
            Some(Meaning::Lasts(what)) => SourceError::Refused(format!("{endpoint} {what} (it says: {said})")),
            None if is_about_password(&words) => {
                SourceError::Refused(format!("{endpoint} refuses the configured user or password (it says: {said})"))
            }
            None => SourceError::Refused(format!("{endpoint} refuses (it says: {said})")),
        };
    }
    match error.kind() {
        ErrorKind::AuthenticationFailed => SourceError::Refused(format!(
            "{endpoint} refuses the configured user or password (it says: {})",
            error.detail().unwrap_or("nothing more")
        )),
        ErrorKind::InvalidClientConfig => SourceError::Refused(format!("{endpoint} cannot be configured so: {error}")),
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType | ErrorKind::Extension => SourceError::Unavailable(format!(
            "{endpoint} does not speak the protocol of Redis; is something else listening there?"
        )),
        _ if error.is_timeout() => SourceError::Unavailable(format!(
            "{endpoint} has not answered within {} s",
            endpoint.answer_timeout().as_secs_f64()
        )),
        _ if error.is_connection_refusal() => {
            SourceError::Unavailable(format!("{endpoint} refuses connections; is it running?"))
        }
        _ if error.is_connection_dropped() => {
            SourceError::Unavailable(format!("{endpoint} has dropped the connection"))
        }
        _ => SourceError::Unavailable(format!("{endpoint} cannot be reached: {error}")),
    }
}

/// Code and words of what the server said, if it said something. Of several errors the one that explains the others:
/// a transaction is refused because of a command in it.
fn server_words(error: &RedisError) -> (Option<String>, String) {
    if let Some(errors) = error.clone().into_server_errors() {
        let telling = |error: &&ServerError| meaning(error.code()).is_some();
        let all: Vec<&ServerError> = errors.iter().map(|(_, error)| error).collect();
        if let Some(error) = all.iter().copied().find(telling).or(all.first().copied()) {
            return (Some(error.code().to_owned()), error.details().unwrap_or_default().to_owned());
        }
    }
    match (error.kind(), error.code()) {
        (ErrorKind::Server(_), Some(code)) => (Some(code.to_owned()), error.detail().unwrap_or_default().to_owned()),
        (_, Some(code)) if is_code(code) => (Some(code.to_owned()), error.detail().unwrap_or_default().to_owned()),
        _ => (None, String::new()),
    }
}

/// What answers garbage may be read as an error with any code.
fn is_code(code: &str) -> bool {
    !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn is_about_password(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    words.contains("password") || words.contains("auth")
}
