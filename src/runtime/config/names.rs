//! What the names of globs say.

/// What the connection to Redis itself is made from: never read from there.
const BOOTSTRAP: [&str; 2] = ["REDIS_CONFIG", "REDIS_KUBE"];

/// Settings by their name, as the service manual names them.
const SETTINGS_ENDINGS: [&str; 2] = ["_CONFIG", "_KUBE"];

/// Whether this name is needed to reach Redis, so that Redis has no say in it.
pub fn is_bootstrap(name: &str) -> bool {
    BOOTSTRAP.contains(&name)
}

/// Whether a glob holds the settings of a service, by its name. Those outlive the hook that wrote them.
pub fn is_setting(name: &str) -> bool {
    SETTINGS_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn settings_are_known_by_their_ending() {
        assert!(is_setting("STRIPE_CONFIG") && is_setting("REDIS_KUBE") && !is_setting("GLOB_SENTINEL"));
    }

    #[test]
    fn what_redis_is_reached_with_is_not_read_from_it() {
        assert!(is_bootstrap("REDIS_CONFIG") && is_bootstrap("REDIS_KUBE") && !is_bootstrap("MAIL_CONFIG"));
    }
}
