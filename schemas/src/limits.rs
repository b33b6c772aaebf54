//! Bounds of all input, each with its unit and its reason.

/// Bytes of one block (object, chunk, entry). One frame of a stream, one record of an archive:
/// small enough to limit the cost of a malicious peer, large enough for a World Bank panel in a few blocks.
pub const BLOCK_BYTES_MAX: usize = 1 << 20;
/// Bytes of one log entry: a gossip message and an index lookup must stay cheap.
pub const ENTRY_BYTES_MAX: usize = 65_535;
/// Bytes of an object that its log entry carries inline; a larger one is carried by id.
pub const INLINE_BYTES_MAX: usize = 32 << 10;
/// Bytes of one column chunk, so that a single figure can be proved with little data.
pub const CHUNK_BYTES_MAX: usize = 256 << 10;
/// Bytes of one piece of a snapshot; a source document is kept as a list of such pieces.
pub const PIECE_BYTES_MAX: usize = 256 << 10;
/// Bytes of a source document: the largest bulk file of a statistical agency, with room.
pub const SNAPSHOT_BYTES_MAX: u64 = 256 << 20;
/// Nesting of maps and arrays in one object.
pub const DEPTH_MAX: usize = 32;
/// Data items in one object, so that decoding cannot amplify memory.
pub const ITEMS_MAX: usize = 1 << 17;
/// Bytes of an identifier of a component, an input, an output.
pub const NAME_BYTES_MAX: usize = 64;
/// Bytes of one text cell of a data set (a code, a label, a footnote).
pub const CELL_BYTES_MAX: usize = 1024;
/// Components (columns) of one data set.
pub const COMPONENTS_MAX: usize = 64;
/// Rows of one data set: every series of the largest public panel, with room.
pub const ROWS_MAX: usize = 16 << 20;
/// Cells of one data set, keys included: bounds the memory of a table (up to 48 bytes a cell)
/// regardless of the size of its blocks.
pub const CELLS_MAX: usize = 16 << 20;
/// Decimal digits of a coefficient: IEEE 754-2008 decimal128.
pub const DIGITS_MAX: u32 = 34;
/// Exponent range of a decimal: IEEE 754-2008 decimal128, of the least significant digit.
pub const EXPONENT_MIN: i32 = -6176;
/// See [`EXPONENT_MIN`].
pub const EXPONENT_MAX: i32 = 6111;
/// Characters of a number as text: a sign, the digits, a point, an exponent, with room for zeros.
pub const NUMBER_BYTES_MAX: usize = 128;
