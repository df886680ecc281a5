use rollover::auth0::Api;
use rollover::sim::{Options, Plan, Running};

use super::{BILLING, api, demo, listed, of_clients, started};

async fn on(plan: Plan) -> (Running, Api) {
    let tenant = started(Options { plan, ..of_clients(1000) }).await;
    let api = api(&tenant);
    (tenant, api)
}

#[tokio::test]
async fn a_thousand_clients_are_listed_on_a_free_plan_without_one_refusal() {
    let (tenant, api) = on(Plan::Free).await;
    let mut pace = api.pace();
    let waits = async {
        let waiting = pace.wait_for(|pace| pace.waiting.is_some()).await.expect("a pace").clone();
        pace.wait_for(|pace| pace.waiting.is_none()).await.expect("the wait ends");
        waiting
    };
    // The client goes when the list is there: then a wait that has not come by will not come.
    let (clients, waiting) = tokio::join!(async move { listed(&api).await }, waits);
    assert_eq!(clients.expect("a list").len(), 1000);
    assert!(waiting.waiting.is_some_and(|wait| (1..=2).contains(&wait.seconds)), "{waiting:?}");
    assert_eq!((waiting.limit, waiting.remaining), (Some(2), Some(0)));
    let statuses: Vec<_> = tenant.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [200; 10]);
}

#[tokio::test]
async fn a_thousand_clients_are_listed_on_an_enterprise_plan_without_waiting() {
    let (tenant, api) = on(Plan::Enterprise).await;
    assert_eq!(listed(&api).await.expect("a list").len(), 1000);
    let statuses: Vec<_> = tenant.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [200; 10]);
    let pace = api.pace().borrow().clone();
    assert_eq!((pace.waiting, pace.limit), (None, Some(50)));
}

#[tokio::test]
async fn without_a_limit_there_is_no_pace_to_tell() {
    let tenant = demo().await;
    let api = api(&tenant);
    api.client(BILLING).await.expect("a client");
    assert_eq!(*api.pace().borrow(), rollover::auth0::Pace::default());
}
