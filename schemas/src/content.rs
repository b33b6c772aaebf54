//! Packing of tables into blocks, and unpacking.
//!
//! A table and its code lists always pack to the same blocks, in any order of the input rows. Unpacking
//! refuses blocks that packing would not have written.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::chunk::{self, Chunk};
use crate::cid::{Cid, ContentId, StructureId};
use crate::limits::CELLS_MAX;
use crate::object::{self, ChunkRef, Code, Content, ObjectType, Structure, decode_object, encode_object};
use crate::structure::{ComponentList, ValueType};
use crate::table::{self, Column, Table, TextColumn};
use crate::text::Name;

/// Rejection of blocks that should be a content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Missing blocks.
    #[error("{} blocks are missing", .0.len())]
    Missing(Vec<Cid>),
    /// A block that is not an object of the expected type.
    #[error("block {0}: {1}")]
    Object(Cid, object::Error),
    /// The columns do not form a table.
    #[error(transparent)]
    Table(#[from] table::Error),
    /// The rows are not in canonical order, or the chunks do not end where the rule requires.
    #[error("content {0} is not in canonical form: {1}")]
    Canonical(Cid, &'static str),
}

/// A block with its id.
pub type Block = (Cid, Vec<u8>);

/// Encodes an object as a block.
///
/// # Errors
/// As [`object::encode_object`].
pub fn encode_block<T: ObjectType>(body: &T) -> Result<(T::Id, Block), object::Error> {
    let bytes = encode_object(body)?;
    let id = Cid::of(crate::cid::Codec::DagCbor, &bytes);
    // INVARIANT: ids of all object types have the codec of the line above.
    let typed = T::Id::try_from(id).map_err(|_| object::Error::UnknownType(T::TYPE.into()))?;
    Ok((typed, (id, bytes)))
}

/// Packs a table into blocks: structure, chunks, content. `codes` are the code lists by component.
///
/// # Errors
/// As [`object::encode_object`], when the code lists break a rule.
pub fn pack_table(
    table: &Table,
    codes: BTreeMap<Name, Vec<Code>>,
) -> Result<(ContentId, Vec<Block>), object::Error> {
    let structure = Structure { components: table.shape().clone(), codes };
    let (structure, structure_block) = encode_block(&structure)?;
    let mut blocks = vec![structure_block];
    let mut chunks = Vec::new();
    let mut from = 0;
    for to in chunk::chunk_ends(table.columns(), table.rows()) {
        let packed = Chunk::encode_column(table.columns(), from, to);
        let (chunk, chunk_block) = encode_block(&packed)?;
        chunks.push(ChunkRef { chunk, rows: packed.rows });
        blocks.push(chunk_block);
        from = to;
    }
    let (id, content_block) = encode_block(&Content { structure, rows: table.rows() as u64, chunks })?;
    blocks.push(content_block);
    Ok((id, blocks))
}

/// Unpacks the structure and the table of a content from blocks that `fetch` looks up.
///
/// # Errors
/// Each variant of [`enum@Error`]; [`Error::Missing`] names all direct dependencies that
/// are missing.
pub fn unpack_table(
    id: ContentId,
    fetch: impl Fn(Cid) -> Option<Vec<u8>>,
) -> Result<(Structure, Table), Error> {
    let content: Content = read_object(id.cid(), &fetch)?;
    // All missing blocks are named at once, so that they are fetched together.
    let missing: Vec<Cid> =
        content.dependencies().into_iter().filter(|need| fetch(*need).is_none()).collect();
    if !missing.is_empty() {
        return Err(Error::Missing(missing));
    }
    let structure: Structure = read_object(StructureId::cid(content.structure), &fetch)?;
    let shape = &structure.components;
    // The counts alone show that the table is too large, before a chunk is read.
    if (content.rows as usize).saturating_mul(shape.components().len()) > CELLS_MAX {
        return Err(Error::Canonical(id.cid(), "more cells than a table may have"));
    }
    let mut tables: Vec<Table> = Vec::new();
    for reference in &content.chunks {
        let chunk: Chunk = read_object(reference.chunk.cid(), &fetch)?;
        let columns = chunk.decode_column().filter(|_| chunk.rows == reference.rows);
        let columns = columns.ok_or(Error::Canonical(id.cid(), "a chunk does not fit the structure"))?;
        // Keys are checked chunk by chunk: a content that lists one chunk many times is refused before
        // it fills memory.
        let next =
            Table::from_sorted(shape.clone(), columns).map_err(|error| structure_mismatch(id, error))?;
        let follows =
            |last: &Table| last.compare_key(last.rows().saturating_sub(1), &next, 0) == Ordering::Less;
        if !tables.last().is_none_or(follows) {
            return Err(table::Error::Order.into());
        }
        tables.push(next);
    }
    let columns = join_tables(shape, tables);
    let columns = columns.ok_or(Error::Canonical(id.cid(), "a column does not fit its component"))?;
    let table = Table::from_sorted(structure.components.clone(), columns)?;
    let rows: Vec<usize> = content
        .chunks
        .iter()
        .scan(0, |end, chunk| {
            *end += chunk.rows as usize;
            Some(*end)
        })
        .collect();
    if rows != chunk::chunk_ends(table.columns(), table.rows()) {
        return Err(Error::Canonical(id.cid(), "the chunks do not end where the rule requires"));
    }
    Ok((structure, table))
}

/// Reports columns of another type or number as a mismatch with the structure; other errors concern the rows.
fn structure_mismatch(id: ContentId, error: table::Error) -> Error {
    match error {
        table::Error::Column(_) => Error::Canonical(id.cid(), "a chunk does not fit the structure"),
        other => Error::Table(other),
    }
}

/// Concatenates the columns of tables with the same components.
fn join_tables(shape: &ComponentList, tables: Vec<Table>) -> Option<Vec<Column>> {
    let mut parts: Vec<Vec<Column>> = vec![Vec::new(); shape.components().len()];
    for table in tables {
        for (part, column) in parts.iter_mut().zip(table.into_columns()) {
            part.push(column);
        }
    }
    shape
        .components()
        .iter()
        .zip(parts)
        .map(|(component, parts)| join_columns(component.value_type, parts))
        .collect()
}

fn read_object<T: ObjectType>(id: Cid, fetch: &impl Fn(Cid) -> Option<Vec<u8>>) -> Result<T, Error> {
    let bytes = fetch(id).ok_or_else(|| Error::Missing(vec![id]))?;
    decode_object(&bytes).map_err(|error| Error::Object(id, error))
}

/// Concatenates the parts of one column; `None` when a part has another type.
fn join_columns(kind: ValueType, parts: Vec<Column>) -> Option<Column> {
    Some(match kind {
        ValueType::String | ValueType::Time | ValueType::Duration => Column::Text(join_texts(&parts)?),
        ValueType::Integer => Column::Integer(join_rows(parts, |part| match part {
            Column::Integer(rows) => Some(rows),
            _ => None,
        })?),
        ValueType::Number => Column::Number(join_rows(parts, |part| match part {
            Column::Number(rows) => Some(rows),
            _ => None,
        })?),
        ValueType::Boolean => Column::Boolean(join_rows(parts, |part| match part {
            Column::Boolean(rows) => Some(rows),
            _ => None,
        })?),
        ValueType::TimePeriod | ValueType::Date => Column::Period(join_rows(parts, |part| match part {
            Column::Period(rows) => Some(rows),
            _ => None,
        })?),
    })
}

fn join_rows<T>(parts: Vec<Column>, open: impl Fn(Column) -> Option<Vec<T>>) -> Option<Vec<T>> {
    let mut rows = Vec::new();
    for part in parts {
        rows.append(&mut open(part)?);
    }
    Some(rows)
}

fn join_texts(parts: &[Column]) -> Option<TextColumn> {
    let parts: Vec<&TextColumn> = parts
        .iter()
        .map(|part| match part {
            Column::Text(texts) => Some(texts),
            _ => None,
        })
        .collect::<Option<_>>()?;
    let rows = parts.iter().flat_map(|texts| (0..texts.codes().len()).map(|row| texts.get(row)));
    Some(TextColumn::from_rows(rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::structure::{Component, Role};

    fn table(rows: usize, reverse: bool) -> Table {
        let part = |id: &str, role, kind| Component::new(Name::new(id).unwrap(), role, kind);
        let shape = ComponentList::new(vec![
            part("REF_AREA", Role::Identifier, ValueType::String),
            part("TIME_PERIOD", Role::Identifier, ValueType::TimePeriod),
            part("OBS_VALUE", Role::Measure, ValueType::Number),
        ]);
        let mut order: Vec<usize> = (0..rows).collect();
        if reverse {
            order.reverse();
        }
        let areas: Vec<String> = order.iter().map(|row| format!("A{:03}", row / 100)).collect();
        let period = |row: &usize| {
            crate::period::Period::from_ordinal(crate::period::Frequency::M, 24_000 + (*row % 100) as i32)
        };
        let number = |row: &usize| crate::decimal::Decimal::new(*row as i128, -1).ok();
        let columns = vec![
            Column::Text(TextColumn::from_rows(areas.iter().map(|area| Some(area.as_str())))),
            Column::Period(order.iter().map(period).collect()),
            Column::Number(order.iter().map(number).collect()),
        ];
        Table::new(shape.unwrap(), columns).unwrap()
    }

    #[test]
    fn a_table_leads_back_whatever_the_order_of_its_rows() {
        let (id, blocks) = pack_table(&table(10_000, false), BTreeMap::new()).unwrap();
        let (same, _) = pack_table(&table(10_000, true), BTreeMap::new()).unwrap();
        assert_eq!(id, same);
        assert!(blocks.len() > 3, "several chunks");
        let stored: BTreeMap<Cid, Vec<u8>> = blocks.into_iter().collect();
        let (_, read) = unpack_table(id, |id| stored.get(&id).cloned()).unwrap();
        assert_eq!(read, table(10_000, false));
    }

    #[test]
    fn what_is_absent_is_named_and_what_is_cut_otherwise_refused() {
        let whole = table(300, false);
        let (id, blocks) = pack_table(&whole, BTreeMap::new()).unwrap();
        let stored: BTreeMap<Cid, Vec<u8>> = blocks.into_iter().collect();
        let without_chunk =
            |wanted: Cid| (wanted == id.cid()).then(|| stored.get(&wanted).cloned()).flatten();
        assert!(matches!(unpack_table(id, without_chunk), Err(Error::Missing(ids)) if ids.len() == 2));

        let mut stored = stored;
        let structure = decode_object::<Content>(&stored[&id.cid()]).unwrap().structure;
        let mut chunks = Vec::new();
        for (from, to) in [(0, 100), (100, 300)] {
            let (chunk, (cid, bytes)) =
                encode_block(&Chunk::encode_column(whole.columns(), from, to)).unwrap();
            stored.insert(cid, bytes);
            chunks.push(ChunkRef { chunk, rows: (to - from) as u32 });
        }
        let (other, (cid, bytes)) = encode_block(&Content { structure, rows: 300, chunks }).unwrap();
        stored.insert(cid, bytes);
        assert!(matches!(unpack_table(other, |id| stored.get(&id).cloned()), Err(Error::Canonical(..))));
    }
}
