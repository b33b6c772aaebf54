//! CSV text (RFC 4180): strict reading in place, many plain records at a time, and writing.

pub(crate) mod block;
pub(crate) mod export;
pub(crate) mod records;
