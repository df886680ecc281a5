use std::sync::Arc;

use super::{AuthMethod, ClientSummary, Untrusted};

/// Rows in one chunk. Appending copies at most one chunk while a reader holds the old one.
const CHUNK_ROWS: usize = 2048;

/// A tenant's clients, stored so that a hundred thousand of them fit in a few megabytes and a search
/// can read them from another thread: the texts of a chunk stand in one string, a row is 16 bytes.
///
/// Cloning is cheap: chunks are shared.
#[derive(Clone, Default)]
pub struct Catalog {
    chunks: Vec<Arc<Chunk>>,
    app_types: Interned<Option<Untrusted>>,
    methods: Interned<AuthMethod>,
    length: usize,
}

#[derive(Clone, Default)]
struct Chunk {
    text: String,
    rows: Vec<Packed>,
}

/// Offsets into the chunk's text, and small codes.
#[derive(Clone, Copy)]
struct Packed {
    start: u32,
    name_bytes: u32,
    id_bytes: u16,
    app_type: u16,
    auth: u16,
    flags: u8,
}

const FIRST_PARTY_KNOWN: u8 = 1;
const FIRST_PARTY: u8 = 2;
const GLOBAL: u8 = 4;

/// A row, borrowed from the catalog. Its texts are raw: print them only through [`Untrusted`] or
/// [`super::untrusted::shown`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// `name`, as it came.
    pub name: &'a str,
    /// `client_id`, as it came.
    pub client_id: &'a str,
    /// `app_type`, as it came.
    pub app_type: Option<&'a str>,
    /// `is_first_party`.
    pub is_first_party: Option<bool>,
    /// How it authenticates.
    pub auth: &'a AuthMethod,
    /// The tenant's own global client.
    pub global: bool,
}

impl Row<'_> {
    /// An owned copy.
    #[must_use]
    pub fn to_summary(&self) -> ClientSummary {
        ClientSummary {
            client_id: self.client_id.into(),
            name: self.name.into(),
            app_type: self.app_type.map(Untrusted::from),
            is_first_party: self.is_first_party,
            auth: self.auth.clone(),
            global: self.global,
        }
    }
}

impl Catalog {
    /// How many clients.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Appends a client. Ids and names longer than a row can say (64 KiB, 4 GiB) are cut: Auth0's own limits
    /// are far below.
    pub fn push(&mut self, client: &ClientSummary) {
        if self.chunks.last().is_none_or(|chunk| chunk.rows.len() == CHUNK_ROWS) {
            if let Some(full) = self.chunks.last_mut().and_then(Arc::get_mut) {
                full.text.shrink_to_fit();
            }
            self.chunks.push(Arc::new(Chunk { text: String::new(), rows: Vec::with_capacity(CHUNK_ROWS) }));
        }
        let app_type = self.app_types.code(&client.app_type);
        let auth = self.methods.code(&client.auth);
        let Some(chunk) = self.chunks.last_mut().map(Arc::make_mut) else { return };
        let name = client.name.raw();
        let id = cut(client.client_id.raw(), usize::from(u16::MAX));
        let mut flags = 0;
        if let Some(first) = client.is_first_party {
            flags |= FIRST_PARTY_KNOWN | if first { FIRST_PARTY } else { 0 };
        }
        if client.global {
            flags |= GLOBAL;
        }
        let (Ok(start), Ok(name_bytes), Ok(id_bytes)) =
            (u32::try_from(chunk.text.len()), u32::try_from(name.len()), u16::try_from(id.len()))
        else {
            return;
        };
        chunk.text.push_str(name);
        chunk.text.push_str(id);
        chunk.rows.push(Packed { start, name_bytes, id_bytes, app_type, auth, flags });
        self.length += 1;
    }

    /// The row at `index`, in the order of arrival.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Row<'_>> {
        let chunk = self.chunks.get(index / CHUNK_ROWS)?;
        let row = chunk.rows.get(index % CHUNK_ROWS)?;
        Some(self.row(chunk, *row))
    }

    fn row<'a>(&'a self, chunk: &'a Chunk, row: Packed) -> Row<'a> {
        let start = row.start as usize;
        let middle = start + row.name_bytes as usize;
        Row {
            name: &chunk.text[start..middle],
            client_id: &chunk.text[middle..middle + usize::from(row.id_bytes)],
            app_type: self.app_types.value(row.app_type).and_then(|kind| kind.as_ref().map(Untrusted::raw)),
            is_first_party: (row.flags & FIRST_PARTY_KNOWN != 0).then_some(row.flags & FIRST_PARTY != 0),
            auth: self.methods.value(row.auth).unwrap_or(&AuthMethod::Unknown),
            global: row.flags & GLOBAL != 0,
        }
    }

    /// All rows, in the order of arrival.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.chunks.iter().flat_map(|chunk| chunk.rows.iter().map(|row| self.row(chunk, *row)))
    }

    /// The index of the client with this id.
    #[must_use]
    pub fn find(&self, client_id: &str) -> Option<usize> {
        self.iter().position(|row| row.client_id == client_id)
    }
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Catalog({} clients)", self.length)
    }
}

/// Same rows in the same order.
impl PartialEq for Catalog {
    fn eq(&self, other: &Self) -> bool {
        self.length == other.length && self.iter().eq(other.iter())
    }
}

fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// The distinct values of a column. Open enums have a few dozen; a hostile server could send a new one with every
/// client, so past 256 the rest share the last code.
#[derive(Clone)]
struct Interned<T>(Arc<Vec<T>>);

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone + PartialEq> Interned<T> {
    /// A hostile server must not turn the look-up into a scan of thousands of values.
    const MOST: usize = 256;

    fn code(&mut self, value: &T) -> u16 {
        let found = self.0.iter().position(|known| known == value);
        let index = found.unwrap_or_else(|| {
            if self.0.len() < Self::MOST {
                Arc::make_mut(&mut self.0).push(value.clone());
            }
            self.0.len() - 1
        });
        u16::try_from(index).unwrap_or(u16::MAX)
    }

    fn value(&self, code: u16) -> Option<&T> {
        self.0.get(usize::from(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(number: usize) -> ClientSummary {
        ClientSummary {
            client_id: format!("id{number:030}").into(),
            name: format!("Client {number} ünï").into(),
            app_type: (!number.is_multiple_of(3))
                .then(|| Untrusted::from(if number.is_multiple_of(2) { "spa" } else { "native" })),
            is_first_party: [None, Some(true), Some(false)][number % 3],
            auth: [AuthMethod::None, AuthMethod::SecretPost, AuthMethod::Unspecified][number % 3].clone(),
            global: number == 7,
        }
    }

    #[test]
    fn what_goes_in_comes_out_across_chunks() {
        let mut catalog = Catalog::default();
        let all: Vec<_> = (0..CHUNK_ROWS * 2 + 5).map(client).collect();
        for each in &all {
            catalog.push(each);
        }
        assert_eq!(catalog.len(), all.len());
        assert!(catalog.iter().map(|row| row.to_summary()).eq(all.iter().cloned()));
        assert_eq!(catalog.get(CHUNK_ROWS).map(|row| row.to_summary()), Some(client(CHUNK_ROWS)));
        assert_eq!(catalog.get(all.len()), None);
        assert_eq!(catalog.find(&format!("id{:030}", 4000)), Some(4000));
    }

    #[test]
    fn a_snapshot_does_not_see_later_clients() {
        let mut catalog = Catalog::default();
        catalog.push(&client(1));
        let snapshot = catalog.clone();
        catalog.push(&client(2));
        assert_eq!((snapshot.len(), catalog.len()), (1, 2));
        assert_eq!(snapshot.get(1), None);
    }

    #[test]
    fn endless_new_types_do_not_grow_without_end() {
        let mut catalog = Catalog::default();
        for number in 0..1000 {
            let app_type = Some(Untrusted::from(format!("type{number}")));
            catalog.push(&ClientSummary { app_type, ..client(number) });
        }
        assert_eq!(catalog.len(), 1000);
        assert_eq!(catalog.get(3).and_then(|row| row.app_type), Some("type3"));
    }
}
