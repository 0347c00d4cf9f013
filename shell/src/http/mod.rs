//! HTTP/1.1 over bytes, for server and client alike. Knows neither mio nor rustls.
