use std::borrow::Cow;
use std::collections::HashSet;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::Api;
use super::error::Error;
use super::lenient::{FieldTaker, Fields, FirstName, Flag, Text, without_lone_surrogates};
use super::sight::{METHODS_FIELD, Sight};
use super::transport::{Answer, PAGE};
use crate::domain::{AuthMethod, ClientSummary, Untrusted};

/// Some clients of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// They.
    pub clients: Vec<ClientSummary>,
    /// How many there are in all, where the server says so.
    pub total: Option<usize>,
}

impl Api {
    /// The tenant's clients, page by page.
    #[must_use]
    pub fn pages(&self) -> Pages {
        Pages { api: self.clone(), next: Next::First, seen: HashSet::new(), cursors: HashSet::new(), sight: None }
    }
}

/// The clients of a tenant, page by page: by checkpoint where the server knows that, else by offset.
#[derive(Debug)]
pub struct Pages {
    api: Api,
    next: Next,
    /// Ids that came already: a server that repeats itself must not be asked for ever.
    seen: HashSet<u64>,
    cursors: HashSet<String>,
    sight: Option<Sight>,
}

#[derive(Debug)]
enum Next {
    First,
    From(String),
    /// Offset paging: this page, where a page holds so many.
    Offset {
        page: usize,
        size: usize,
    },
    End,
}

/// The most that may be asked for at once. Source: OAS `get_clients`.
const MOST: usize = 100;

impl Pages {
    /// The next page; `None` after the last.
    ///
    /// # Errors
    /// As the API refuses or fails, or where it repeats itself.
    pub async fn next(&mut self) -> Result<Option<Page>, Error> {
        const DOING: &str = "list the clients";
        if matches!(self.next, Next::End) {
            return Ok(None);
        }
        let sight = match self.sight {
            Some(sight) => sight,
            None => *self.sight.insert(self.api.sight().await?),
        };
        let mut query = vec![("fields", sight.fields().to_owned())];
        match &self.next {
            Next::From(cursor) => query.extend([("take", MOST.to_string()), ("from", cursor.clone())]),
            Next::Offset { page, size } => query.extend([
                ("page", page.to_string()),
                ("per_page", size.to_string()),
                ("include_totals", "true".to_owned()),
            ]),
            Next::First | Next::End => query.push(("take", MOST.to_string())),
        }
        let answer = match self.api.read("/api/v2/clients", &query, PAGE, DOING).await {
            Ok(answer) => answer,
            // A server that does not know `take` may refuse it.
            Err(error) if error.status == Some(400) && matches!(self.next, Next::First) => {
                self.next = Next::Offset { page: 0, size: MOST };
                return Box::pin(self.next()).await;
            }
            Err(error) => {
                self.sight = Some(sight.less(error)?);
                return Box::pin(self.next()).await;
            }
        };
        let listed = Listed::parse(&answer.body, sight == Sight::Keys)
            .ok_or_else(|| Answer::unreadable(DOING, "it is no list of clients", false))?;
        self.advance(listed, DOING)
    }

    fn advance(&mut self, listed: Listed, doing: &str) -> Result<Option<Page>, Error> {
        let before = self.seen.len();
        let came = listed.clients.len();
        let clients: Vec<_> =
            listed.clients.into_iter().filter(|client| self.seen.insert(hash(client.client_id.raw()))).collect();
        let repeated = came > 0 && self.seen.len() == before;
        let all = listed.total.is_some_and(|total| self.seen.len() >= total);
        self.next = match (&self.next, listed.next) {
            (Next::First | Next::From(_), Some(cursor)) => {
                if repeated || !self.cursors.insert(cursor.clone()) {
                    return Err(Answer::unreadable(doing, "the same page came twice", false));
                }
                Next::From(cursor)
            }
            // No `next` on the first page: all there is, if this was checkpoint paging (an object without totals); else the
            // server does not know that, and is asked in the other way.
            (Next::First, None) if listed.checkpoint || came == 0 || all => Next::End,
            (Next::First, None) => Next::Offset { page: self.seen.len() / MOST, size: MOST },
            (Next::Offset { page, size }, _) => {
                let have = self.seen.len();
                let short = listed.total.is_none() && listed.limit.is_some_and(|limit| came < limit);
                // What counts is how many came, not how many were asked for: a server may give fewer to a page. On the
                // first one, those may be just the ones that it gave to the question it did not understand.
                let size = came.min(*size);
                let stuck = came == 0 || (repeated && *page > 0);
                if stuck || all || short { Next::End } else { Next::Offset { page: have / size, size } }
            }
            (Next::From(_) | Next::End, _) => Next::End,
        };
        if clients.is_empty() && matches!(self.next, Next::End) {
            return Ok(None);
        }
        Ok(Some(Page { clients, total: listed.total }))
    }
}

fn hash(text: &str) -> u64 {
    use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
    BuildHasherDefault::<DefaultHasher>::default().hash_one(text)
}

/// What one answer to a list holds.
#[derive(Debug, Default)]
struct Listed {
    clients: Vec<ClientSummary>,
    next: Option<String>,
    total: Option<usize>,
    limit: Option<usize>,
    checkpoint: bool,
}

impl Listed {
    /// From any of the three shapes: a bare array, an object with totals, an object with `next`.
    fn parse(body: &[u8], methods: bool) -> Option<Self> {
        Self::strictly(body, methods).or_else(|| Self::strictly(&without_lone_surrogates(body)?, methods))
    }

    fn strictly(body: &[u8], methods: bool) -> Option<Self> {
        let mut json = serde_json::Deserializer::from_slice(body);
        let listed = json.deserialize_any(ListedVisitor { methods }).ok()?;
        json.end().ok()?;
        Some(listed)
    }
}

struct ListedVisitor {
    methods: bool,
}

impl<'de> Visitor<'de> for ListedVisitor {
    type Value = Listed;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of clients")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Listed, A::Error> {
        let mut clients = Vec::with_capacity(100);
        while let Some(client) = items.next_element_seed(Fields(Summary::new(self.methods)))? {
            // A client without an id can be neither opened nor told from another.
            clients.extend(client);
        }
        Ok(Listed { clients, ..Listed::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Listed, A::Error> {
        let mut listed = Listed { checkpoint: true, ..Listed::default() };
        let mut has_clients = false;
        while let Some(Text(name)) = map.next_key()? {
            match name.as_deref() {
                Some("clients") => {
                    has_clients = true;
                    listed.clients = map.next_value_seed(Clients { methods: self.methods })?;
                }
                Some("next") => {
                    listed.next = map.next_value::<Text<'_>>()?.0.map(Cow::into_owned).filter(|next| !next.is_empty());
                }
                Some(key @ ("total" | "limit" | "start")) => {
                    listed.checkpoint = false;
                    let key = key.to_owned();
                    let number = map.next_value::<Value>()?.as_u64().and_then(|number| usize::try_from(number).ok());
                    match key.as_str() {
                        "total" => listed.total = number,
                        "limit" => listed.limit = number,
                        _ => {}
                    }
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if has_clients { Ok(listed) } else { Err(serde::de::Error::custom("no clients")) }
    }
}

struct Clients {
    methods: bool,
}

impl<'de> DeserializeSeed<'de> for Clients {
    type Value = Vec<ClientSummary>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        struct Only(bool);
        impl<'de> Visitor<'de> for Only {
            type Value = Vec<ClientSummary>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an array of clients")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
                ListedVisitor { methods: self.0 }.visit_seq(items).map(|listed| listed.clients)
            }
        }
        deserializer.deserialize_seq(Only(self.methods))
    }
}

/// One client of a list, read field by field without a copy of what is passed over.
struct Summary<'a> {
    methods_visible: bool,
    client_id: Option<Cow<'a, str>>,
    name: Option<Cow<'a, str>>,
    app_type: Option<Cow<'a, str>>,
    is_first_party: Option<bool>,
    endpoint: Option<Cow<'a, str>>,
    methods: Option<String>,
    global: Option<bool>,
}

impl Summary<'_> {
    fn new(methods_visible: bool) -> Self {
        Self {
            methods_visible,
            client_id: None,
            name: None,
            app_type: None,
            is_first_party: None,
            endpoint: None,
            methods: None,
            global: None,
        }
    }
}

impl<'de> FieldTaker<'de> for Summary<'de> {
    type Output = Option<ClientSummary>;

    fn take<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "client_id" => self.client_id = map.next_value::<Text<'de>>()?.0,
            "name" => self.name = map.next_value::<Text<'de>>()?.0,
            "app_type" => self.app_type = map.next_value::<Text<'de>>()?.0,
            "is_first_party" => self.is_first_party = map.next_value::<Flag>()?.0,
            "token_endpoint_auth_method" => self.endpoint = map.next_value::<Text<'de>>()?.0,
            METHODS_FIELD => self.methods = map.next_value::<FirstName>()?.0,
            "global" => self.global = map.next_value::<Flag>()?.0,
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn done(self) -> Option<ClientSummary> {
        Some(ClientSummary {
            client_id: Untrusted::new(&*self.client_id?),
            name: Untrusted::new(self.name.as_deref().unwrap_or_default()),
            app_type: self.app_type.as_deref().map(Untrusted::from),
            is_first_party: self.is_first_party,
            auth: AuthMethod::from_fields(self.endpoint.as_deref(), self.methods.as_deref(), self.methods_visible),
            global: self.global.unwrap_or(false),
        })
    }
}
