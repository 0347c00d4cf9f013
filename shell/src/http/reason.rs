//! Why a message was refused, and the status that says so.

use super::Status;

/// Why a message was refused. Its text names no byte of the message, so it is safe to log.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum Reason {
    #[error("the request line is not `method target version`")]
    RequestLine,
    #[error("the request target is malformed")]
    Target,
    #[error("the request target is too long")]
    TargetTooLong,
    #[error("the method is not implemented")]
    MethodUnknown,
    #[error("the HTTP version is not 1.0 or 1.1")]
    Version,
    #[error("the status line is malformed")]
    StatusLine,
    #[error("a field name is not a token followed by a colon")]
    FieldName,
    #[error("a field value holds a control character or a bare line break")]
    FieldValue,
    #[error("a field line is folded or indented")]
    FieldFolded,
    #[error("the head is too large")]
    HeadTooLarge,
    #[error("the head has too many fields")]
    TooManyFields,
    #[error("Host is missing")]
    HostMissing,
    #[error("Host is given more than once")]
    HostRepeated,
    #[error("Host is malformed")]
    Host,
    #[error("Content-Length is not a decimal number")]
    Length,
    #[error("Content-Length is given more than once")]
    LengthRepeated,
    #[error("the request needs a Content-Length")]
    LengthRequired,
    #[error("Content-Length and Transfer-Encoding are both given")]
    LengthAndEncoding,
    #[error("Transfer-Encoding is malformed or does not end in one `chunked`")]
    Encoding,
    #[error("Transfer-Encoding names a coding that is not implemented")]
    EncodingUnknown,
    #[error("HTTP/1.0 has no Transfer-Encoding")]
    EncodingInHttp10,
    #[error("Expect asks for something other than 100-continue")]
    Expectation,
    #[error("Content-Encoding is not supported")]
    ContentCoding,
    #[error("a chunk size is malformed or too large to count")]
    ChunkSize,
    #[error("a chunk extension is malformed or the extensions are too long")]
    ChunkExtension,
    #[error("a chunk does not end where its size says")]
    ChunkEnd,
    #[error("a trailer field is malformed or the trailers are too long")]
    Trailer,
    #[error("the body is too large")]
    BodyTooLarge,
    #[error("the request did not arrive in time")]
    Timeout,
    #[error("the message ends before its framing says")]
    Truncated,
}

impl Reason {
    /// The status a server answers with.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::TargetTooLong => Status::URI_TOO_LONG,
            Self::MethodUnknown | Self::EncodingUnknown => Status::NOT_IMPLEMENTED,
            Self::Version => Status::VERSION_NOT_SUPPORTED,
            Self::HeadTooLarge | Self::TooManyFields => Status::FIELDS_TOO_LARGE,
            Self::LengthRequired => Status::LENGTH_REQUIRED,
            Self::Expectation => Status::EXPECTATION_FAILED,
            Self::ContentCoding => Status::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge => Status::CONTENT_TOO_LARGE,
            Self::Timeout => Status::REQUEST_TIMEOUT,
            _ => Status::BAD_REQUEST,
        }
    }
}
