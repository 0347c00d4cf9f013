//! Where to listen, as the configuration has it.

use std::net::SocketAddr;

/// Reads `host:port`, where the host is an IP address or `localhost`.
pub(super) fn socket(text: &str) -> Option<SocketAddr> {
    let text = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_ip_address_or_localhost_with_a_port_is_taken() {
        for (text, shown) in [
            ("127.0.0.1:80", Some("127.0.0.1:80")),
            ("localhost:3001", Some("127.0.0.1:3001")),
            ("[::1]:80", Some("[::1]:80")),
            ("localhost", None),
            ("bot.example:80", None),
            ("0.0.0.0:99999", None),
        ] {
            assert_eq!(socket(text).map(|a| a.to_string()).as_deref(), shown, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = socket(&text);
        }
    }
}
