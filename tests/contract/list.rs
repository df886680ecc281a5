use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use rollover::auth0::ErrorKind;
use rollover::sim::{Options, Scenario};

use super::raw::{Raw, Reply, json, parameter};
use super::{api, listed, of_clients, requests, scoped, signing_in, started, with_token};

/// A parameter of a recorded query.
fn asked(query: &str, name: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn clients_come_a_hundred_at_a_time_by_checkpoint() {
    let tenant = started(of_clients(250)).await;
    let mut pages = api(&tenant).pages();
    let mut sizes = Vec::new();
    let mut ids = HashSet::new();
    while let Some(page) = pages.next().await.expect("a page") {
        sizes.push(page.clients.len());
        ids.extend(page.clients.into_iter().map(|client| client.client_id));
    }
    assert_eq!((sizes, ids.len()), (vec![100, 100, 50], 250));
    assert_eq!(pages.next().await.expect("no page"), None, "after the end there is nothing more");
    let queries: Vec<_> = tenant.requests().into_iter().map(|request| request.query).collect();
    assert!(queries.iter().all(|query| asked(query, "take").as_deref() == Some("100")), "{queries:?}");
    assert!(queries.iter().all(|query| asked(query, "page").is_none()), "{queries:?}");
    let cursors: Vec<_> = queries.iter().map(|query| asked(query, "from")).collect();
    assert_eq!((cursors.len(), &cursors[0]), (3, &None));
    assert!(cursors[1].is_some() && cursors[2].is_some() && cursors[1] != cursors[2], "{cursors:?}");
}

#[tokio::test]
async fn a_list_asks_for_no_secret_and_for_what_the_token_may_see() {
    let tenant = started(of_clients(3)).await;
    for (scopes, methods, settings) in [
        ("read:clients read:client_keys", true, true),
        ("read:client_keys", true, true),
        ("read:clients", false, true),
        ("read:client_summary", false, false),
    ] {
        let before = tenant.requests().len();
        let clients = listed(&scoped(&tenant, scopes)).await.unwrap_or_else(|error| panic!("{scopes}: {error}"));
        assert_eq!(clients.len(), 3, "{scopes}");
        let sent = &tenant.requests()[before..];
        assert!(sent.iter().all(|request| request.status == 200), "{scopes}: a refusal was asked for: {sent:?}");
        for request in sent {
            let fields = asked(&request.query, "fields").expect("fields");
            let has = |name: &str| fields.split(',').any(|field| field == name);
            assert!(!fields.contains("client_secret"), "{scopes}: {fields}");
            assert_eq!(has("client_authentication_methods"), methods, "{scopes}: {fields}");
            assert_eq!(has("is_first_party"), settings, "{scopes}: {fields}");
            assert!(has("client_id") && has("name"), "{scopes}: {fields}");
        }
    }
}

#[tokio::test]
async fn an_opaque_token_finds_out_what_it_may_see_by_asking() {
    for (secret_fields, settings) in [(true, true), (false, true), (false, false)] {
        let raw = Raw::answering(move |request| {
            let fields = parameter(request, "fields").expect("fields");
            let refused = (!secret_fields && fields.contains("client_authentication_methods"))
                || (!settings && fields.contains("is_first_party"));
            if refused {
                let body = r#"{"statusCode":403,"message":"You cannot read the following fields: some"}"#;
                return json(403, body);
            }
            json(200, r#"{"clients":[{"client_id":"a"}]}"#)
        })
        .await;
        let clients = listed(&with_token(&raw.url, "opaque")).await.expect("a list");
        assert_eq!(clients.len(), 1, "{secret_fields} {settings}");
    }
}

#[tokio::test]
async fn a_token_that_may_not_list_is_told_the_scopes_that_would_do() {
    let tenant = started(of_clients(3)).await;
    let error = listed(&scoped(&tenant, "read:logs")).await.expect_err("no scope for it");
    assert_eq!((&error.kind, error.status), (&ErrorKind::MissingScope, Some(403)));
    let scopes: Vec<_> = error.missing_scopes.iter().map(|scope| scope.raw().to_owned()).collect();
    assert_eq!(scopes, ["read:clients", "read:client_keys", "read:client_summary"]);
    assert!(error.hint.contains("read:clients"), "{}", error.hint);
    assert_eq!(requests(&tenant, "GET", "/clients").len(), 1, "a refusal is not asked for twice");
}

#[tokio::test]
async fn every_client_comes_once_whatever_their_number() {
    for offset in [false, true] {
        for count in [0, 1, 99, 100, 101, 250] {
            let file = include_str!("../../assets/scenarios/no-checkpoint.toml");
            let scenario = offset.then(|| Scenario::from_toml(file).expect("a scenario"));
            let tenant = started(Options { scenario, ..of_clients(count) }).await;
            let clients = listed(&signing_in(&tenant)).await.expect("a list");
            let ids: HashSet<_> = clients.iter().map(|client| client.client_id.raw()).collect();
            assert_eq!((clients.len(), ids.len()), (count, count), "offset paging: {offset}");
            let by_page = tenant.requests().iter().any(|request| request.query.contains("per_page="));
            assert_eq!(by_page, offset && count > 0, "{count}: the fallback is for servers that need it");
        }
    }
}

/// How a server takes to checkpoint paging.
#[derive(Clone, Copy, Debug)]
enum Checkpoint {
    Knows,
    Ignores,
    Refuses,
}

/// A server of 130 clients that gives at most `most` to a page, whatever it is asked for.
fn frugal(request: &str, checkpoint: Checkpoint, totals: bool, most: usize) -> Reply {
    const ALL: usize = 130;
    let number = |name: &str| parameter(request, name).and_then(|text| text.parse::<usize>().ok());
    let by_checkpoint = number("take").is_some();
    if by_checkpoint && matches!(checkpoint, Checkpoint::Refuses) {
        return json(400, r#"{"statusCode":400,"message":"no such parameter","errorCode":"invalid_query_string"}"#);
    }
    let by_checkpoint = by_checkpoint && matches!(checkpoint, Checkpoint::Knows);
    let size = number("per_page").or(number("take").filter(|_| by_checkpoint)).unwrap_or(50).min(most);
    let start = if by_checkpoint { number("from").unwrap_or(0) } else { number("page").unwrap_or(0) * size };
    let end = (start + size).min(ALL);
    let clients: Vec<_> = (start..end).map(|number| format!("{{\"client_id\":\"c{number}\"}}")).collect();
    let clients = clients.join(",");
    let body = if by_checkpoint && end < ALL {
        format!("{{\"next\":\"{end}\",\"clients\":[{clients}]}}")
    } else if by_checkpoint {
        format!("{{\"clients\":[{clients}]}}")
    } else if totals && number("page").is_some() {
        format!("{{\"start\":{start},\"limit\":{size},\"total\":{ALL},\"clients\":[{clients}]}}")
    } else {
        format!("[{clients}]")
    };
    json(200, body)
}

#[tokio::test]
async fn a_server_that_gives_less_to_a_page_than_it_is_asked_for_loses_nobody() {
    for checkpoint in [Checkpoint::Knows, Checkpoint::Ignores, Checkpoint::Refuses] {
        for totals in [true, false] {
            for most in [7, 25, 50, 64, 100] {
                let case = format!("{checkpoint:?}, totals: {totals}, at most {most}");
                let most_requests = 130_usize.div_ceil(most) + 3;
                let left = AtomicUsize::new(most_requests);
                let raw = Raw::answering(move |request| {
                    let asked = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
                    if asked.is_ok() { frugal(request, checkpoint, totals, most) } else { json(404, "enough") }
                })
                .await;
                let clients = listed(&with_token(&raw.url, "opaque")).await;
                let clients = clients.unwrap_or_else(|_| panic!("{case}: more than {most_requests} requests"));
                let ids: HashSet<_> = clients.iter().map(|client| client.client_id.raw()).collect();
                assert_eq!((clients.len(), ids.len()), (130, 130), "{case}");
            }
        }
    }
}

#[tokio::test]
async fn after_an_error_the_same_page_can_be_asked_for_again() {
    let fault = format!("{}skip = 1\ntimes = 1\nwhen = \"before\"\nstatus = 400\n", super::READ);
    let scenario = Some(Scenario::from_toml(&fault).expect("a scenario"));
    let tenant = started(Options { scenario, ..of_clients(250) }).await;
    let (mut pages, mut came) = (api(&tenant).pages(), Vec::new());
    for _ in 0..4 {
        came.push(pages.next().await.map(|page| page.map_or(0, |page| page.clients.len())).map_err(|error| error.kind));
    }
    assert_eq!(came, [Ok(100), Err(ErrorKind::Refused), Ok(100), Ok(50)]);
}

#[tokio::test]
async fn a_server_that_repeats_itself_is_not_asked_for_ever() {
    // After many requests these come to an end after all: a test that fails is better than one that hangs.
    let patience = |request: usize| if request < 20 { "next" } else { "ignored" };
    let (first, second) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let same_cursor = Raw::answering(move |_| {
        let request = first.fetch_add(1, Ordering::SeqCst);
        json(200, format!(r#"{{"{}":"again","clients":[{{"client_id":"c{request}"}}]}}"#, patience(request)))
    })
    .await;
    let same_clients = Raw::answering(move |_| {
        let request = second.fetch_add(1, Ordering::SeqCst);
        json(200, format!(r#"{{"{}":"{request}","clients":[{{"client_id":"c"}}]}}"#, patience(request)))
    })
    .await;
    for raw in [same_cursor, same_clients] {
        let error = listed(&with_token(&raw.url, "opaque")).await.expect_err("an error, not a loop");
        assert_eq!(error.kind, ErrorKind::Unreadable);
        assert!(error.message.raw().contains("the same page came twice"), "{error}");
        assert!(raw.requests().len() <= 3, "{} requests", raw.requests().len());
    }
    let third = AtomicUsize::new(0);
    let same_page = Raw::answering(move |_| {
        let page = r#"[{"client_id":"a"},{"client_id":"b"}]"#;
        json(200, if third.fetch_add(1, Ordering::SeqCst) < 20 { page } else { "[]" })
    })
    .await;
    assert_eq!(listed(&with_token(&same_page.url, "opaque")).await.expect("a list").len(), 2);
    assert!(same_page.requests().len() <= 3);
}
