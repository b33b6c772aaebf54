//! World Bank: bulk CSV, bare or in its ZIP archive, and responses of the API.

pub(crate) mod api_json;
pub(crate) mod archive;
pub(crate) mod bulk_csv;
