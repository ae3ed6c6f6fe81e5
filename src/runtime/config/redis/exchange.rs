//! Several commands at once. The library's own pipelines wait for every answer in turn, so that a server that has
//! stopped answering costs as many timeouts as there are commands; here the first one is the last.

use redis::{Cmd, Connection, RedisResult, Value, cmd};

/// Sends commands together; returns the answers in order.
///
/// # Errors
/// The first that there is.
pub fn pipelined(connection: &mut Connection, commands: &[Cmd]) -> RedisResult<Vec<Value>> {
    send(connection, commands)?;
    let answers = received(connection, commands.len())?;
    answers.into_iter().map(Value::extract_error).collect()
}

/// Runs commands as one step: all of them, or none; returns the answers in order.
///
/// # Errors
/// The first that there is. A command that was refused is the reason, not that the whole was.
pub fn transaction(connection: &mut Connection, mut commands: Vec<Cmd>) -> RedisResult<Vec<Value>> {
    commands.insert(0, cmd("MULTI"));
    commands.push(cmd("EXEC"));
    send(connection, &commands)?;
    let mut answers = received(connection, commands.len())?;
    let executed = answers.pop().unwrap_or(Value::Nil);
    answers.into_iter().try_for_each(|answer| answer.extract_error().map(drop))?;
    match executed.extract_error()? {
        Value::Array(answers) => answers.into_iter().map(Value::extract_error).collect(),
        _ => Err((redis::ErrorKind::UnexpectedReturnType, "no answers to a transaction").into()),
    }
}

fn send(connection: &mut Connection, commands: &[Cmd]) -> RedisResult<()> {
    let packed: Vec<u8> = commands.iter().flat_map(Cmd::get_packed_command).collect();
    connection.send_packed_command(&packed)
}

fn received(connection: &mut Connection, count: usize) -> RedisResult<Vec<Value>> {
    (0..count).map(|_| connection.recv_response()).collect()
}
