//! What may go wrong with a call, by the one question that matters: can the platform have acted on it?

use crate::http::Reason;
use std::io;

/// A call without an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// The last byte of the request never left this machine, so the platform cannot have acted on it: it may be
    /// sent again at once.
    #[error("not sent: {0}")]
    NotWritten(Cause),
    /// The request was written whole, and no complete answer came. The platform may have acted on it:
    /// sending it
    /// again may do it twice (RFC 9110 9.2.2), which is for the caller to decide and to count.
    #[error("sent, but not answered: {0}")]
    Unanswered(Cause),
}

/// Why.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Cause {
    #[error("no connection ({0})")]
    Connect(io::ErrorKind),
    #[error("no connection in time")]
    ConnectTimeout,
    #[error("TLS was refused: check the certificate, the clock and the name of the host")]
    Tls,
    #[error("the connection broke ({0})")]
    Broke(io::ErrorKind),
    #[error("the platform closed the connection")]
    Closed,
    #[error("the platform did not take the request in time")]
    WriteTimeout,
    #[error("no answer in time")]
    AnswerTimeout,
    #[error("the answer is not HTTP: {0}")]
    BadAnswer(Reason),
    #[error("no address for the host")]
    Unresolved,
}

impl Failure {
    #[must_use]
    pub fn cause(self) -> Cause {
        match self {
            Self::NotWritten(cause) | Self::Unanswered(cause) => cause,
        }
    }

    /// Whether another address of the origin may do better.
    pub(super) fn is_of_the_address(self) -> bool {
        matches!(self.cause(), Cause::Connect(_) | Cause::ConnectTimeout | Cause::Tls)
    }
}
