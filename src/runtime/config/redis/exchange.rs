//! Several commands at once. The library's own pipelines wait for every answer in turn, so that a server that has
//! stopped answering costs as many timeouts as there are commands; here the first one is the last.

use super::wire::Connection;
use redis::{Cmd, RedisResult, Value, cmd};

/// Sends commands together; returns the answers in order.
///
/// # Errors
/// The first that there is.
pub fn pipelined(connection: &mut Connection, commands: &[Cmd]) -> RedisResult<Vec<Value>> {
    let answers = asked(connection, commands)?;
    answers.into_iter().map(Value::extract_error).collect()
}

/// Runs commands as one step: all of them, or none; returns the answers in order.
///
/// # Errors
/// The first that there is. A command that was refused is the reason, not that the whole was.
pub fn transaction(connection: &mut Connection, mut commands: Vec<Cmd>) -> RedisResult<Vec<Value>> {
    commands.insert(0, cmd("MULTI"));
    commands.push(cmd("EXEC"));
    let mut answers = asked(connection, &commands)?;
    let executed = answers.pop().unwrap_or(Value::Nil);
    answers.into_iter().try_for_each(|answer| answer.extract_error().map(drop))?;
    match executed.extract_error()? {
        Value::Array(answers) => answers.into_iter().map(Value::extract_error).collect(),
        _ => Err((redis::ErrorKind::UnexpectedReturnType, "no answers to a transaction").into()),
    }
}

/// The answers of the connection, errors of the server among them.
fn asked(connection: &mut Connection, commands: &[Cmd]) -> RedisResult<Vec<Value>> {
    let packed: Vec<u8> = commands.iter().flat_map(Cmd::get_packed_command).collect();
    connection.send(&packed)?;
    commands.iter().map(|_| connection.receive(packed.len())).collect()
}
