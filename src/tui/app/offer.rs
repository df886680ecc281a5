//! Which client an action on a rollover is about, and whether it can be taken now.
use super::action::Action;
use super::job::Job;
use super::keymap::Availability;
use super::records::lacking;
use super::screen::{Main, Overlay, Screen};
use super::state::State;
use crate::domain::client::not_rotatable;
use crate::domain::rollover::{Role, State as Stands};
use crate::domain::{Ability, AuthMethod, Mode, Rollover, Untrusted, WayIn};

/// The client that an action on a rollover is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Concern<'a> {
    /// Its id.
    pub client_id: &'a str,
    /// Its name.
    pub name: &'a Untrusted,
    /// How it authenticates, where that is known.
    pub auth: Option<AuthMethod>,
    /// Its latest rollover.
    pub row: Option<&'a Rollover>,
}

/// What stands in the foreground: the job, the rollover or the client that is open, or the selected line.
#[must_use]
pub fn concern(state: &State) -> Option<Concern<'_>> {
    let Screen::Main(main) = &state.screen else { return None };
    let row = match &state.overlay {
        Some(Overlay::Job(id) | Overlay::Unsaved(id)) => {
            let job = state.job(*id)?;
            if job.domain != *main.tenant.domain() {
                return None;
            }
            return Some(of_client(state, main, &job.task.client_id, &job.task.name, job.task.auth.clone()));
        }
        Some(Overlay::Record(record)) => state.records.get(&record.id)?,
        Some(Overlay::Rollovers(selected)) => state.records.of(main.tenant.domain()).nth(*selected)?,
        _ => return in_pane(state, main),
    };
    let latest = of_client(state, main, &row.client_id, &row.name, None);
    // Of an earlier rollover nothing is left to do.
    let row = if latest.row.is_some_and(|latest| latest.id == row.id) { latest.row } else { Some(row) };
    Some(Concern { row, ..latest })
}

fn in_pane<'a>(state: &'a State, main: &'a Main) -> Option<Concern<'a>> {
    let pane = main.pane.as_ref()?;
    let auth = pane.client().map(|client| client.summary.auth.clone());
    Some(of_client(state, main, &pane.client_id, &pane.name, auth))
}

fn of_client<'a>(
    state: &'a State,
    main: &'a Main,
    client_id: &'a str,
    name: &'a Untrusted,
    auth: Option<AuthMethod>,
) -> Concern<'a> {
    let catalog = &main.clients.catalog;
    let auth = auth.or_else(|| Some(catalog.get(catalog.find(client_id)?)?.to_summary().auth));
    Concern { client_id, name, auth, row: state.records.latest(main.tenant.domain(), client_id) }
}

/// The job that is at work on this client.
#[must_use]
pub fn at_work<'a>(state: &'a State, main: &'a Main, client_id: &'a str) -> Option<&'a Job> {
    state.running().find(|job| job.is_of(main.tenant.domain(), client_id))
}

/// Whether an action on a rollover can be taken.
#[must_use]
pub fn offer(state: &State, action: Action) -> Availability {
    use Availability as A;
    let Screen::Main(main) = &state.screen else { return A::Absent };
    concern(state).map_or(A::Absent, |concern| offer_on(state, main, action, &concern))
}

/// The same for the client whose settings are open, whatever lies over them.
#[must_use]
pub fn offer_in_pane(state: &State, main: &Main, action: Action) -> Availability {
    in_pane(state, main).map_or(Availability::Absent, |concern| offer_on(state, main, action, &concern))
}

fn offer_on(state: &State, main: &Main, action: Action, concern: &Concern<'_>) -> Availability {
    use Availability as A;
    match by_state(state, action, concern) {
        A::Ready => {}
        other => return other,
    }
    if let Some(why) = cannot_change(state, main) {
        return A::Blocked(why);
    }
    if let Some(job) = at_work(state, main, concern.client_id) {
        return A::Blocked(format!("This client is being changed: {}", job.summary()));
    }
    match (&concern.auth, action) {
        (_, Action::Resume | Action::Abandon) => A::Ready,
        (Some(auth), _) => match not_rotatable(auth) {
            Some(reason) => A::Blocked(format!("This client cannot be rotated: {reason}.")),
            None => A::Ready,
        },
        (None, Action::NewSecret | Action::Rotate) => A::Blocked("The settings are not here yet.".to_owned()),
        (None, _) => A::Ready,
    }
}

/// Why nothing can be changed at this tenant, where that is so.
#[must_use]
pub fn cannot_change(state: &State, main: &Main) -> Option<String> {
    if main.tenant.which.profile.read_only {
        return Some(format!("{} is read-only: nothing is changed here.", main.tenant.called()));
    }
    if let Ability::No { missing } = main.tenant.scopes().rotate() {
        let mend = match main.tenant.which.profile.way_in {
            Some(WayIn::Auth0Cli) => format!(" To add it: auth0 login --scopes {missing}"),
            _ => String::new(),
        };
        return Some(format!("The token lacks {missing}: secrets cannot be rotated with it.{mend}"));
    }
    if let Some(trouble) = &state.records.trouble {
        return Some(format!("Nothing is changed as long as the ledger cannot be used: {trouble}"));
    }
    None
}

/// Whether the rollover stands where the action belongs.
fn by_state(state: &State, action: Action, concern: &Concern<'_>) -> Availability {
    use Availability as A;
    use Stands as S;
    let ready_if = |condition: bool| if condition { A::Ready } else { A::Absent };
    let open = concern.row.filter(|row| !row.state.is_final());
    let Some(row) = open else {
        // The next one begins where its client is looked at.
        let elsewhere = matches!(state.overlay, Some(Overlay::Job(_) | Overlay::Record(_) | Overlay::Rollovers(_)));
        return ready_if(matches!(action, Action::NewSecret | Action::Rotate) && !elsewhere);
    };
    let waits = matches!(row.state, S::Staged | S::Delivered) && row.mode == Mode::Set;
    let targets = state.records.targets(concern.client_id);
    match action {
        Action::Rotate => A::Ready,
        Action::NewSecret if waits && !lacking(row, targets).is_empty() => A::Ready,
        Action::NewSecret if waits => A::Blocked(format!("There is a pending secret already{}", next_keys(row))),
        Action::NewSecret => {
            A::Blocked(format!("The last rollover has not ended: it is {}{}", row.state.words(), next_keys(row)))
        }
        Action::SaveChanges => ready_if(waits),
        Action::TakeBack => match row.state {
            S::Unknown => {
                A::Blocked("It is not known what is live, so nothing is taken back: R looks again.".to_owned())
            }
            state if state.is_before_change() || row.holds(Role::Old) => A::Ready,
            _ => A::Blocked("The ledger does not hold the old secret: there is nothing to go back to.".to_owned()),
        },
        Action::Retire => ready_if(row.state == S::Holding),
        Action::Resume => ready_if(!waits && row.state != S::Holding),
        Action::SetOurs => ready_if(row.state == S::Conflict),
        // Where what is live is the secret from before, keeping it is going back.
        Action::KeepTheirs => ready_if(row.state == S::Conflict && !row.is_set_back()),
        Action::Abandon => ready_if(matches!(row.state, S::Conflict | S::Unknown | S::InDoubt | S::Rejected)),
        _ => A::Absent,
    }
}

/// What a person presses next, for the end of a sentence.
fn next_keys(row: &Rollover) -> &'static str {
    match row.state {
        Stands::Staged | Stands::Delivered => ": Ctrl-S makes it live, z takes it back.",
        Stands::Holding => ": x retires the old secret, z goes back to it.",
        Stands::Conflict | Stands::Unknown => "; o shows what can be done.",
        _ => ": R goes on with it.",
    }
}

/// What can be done with the rollover in the foreground, the most useful first.
pub const NEXT: [Action; 8] = [
    Action::SaveChanges,
    Action::Retire,
    Action::Resume,
    Action::KeepTheirs,
    Action::SetOurs,
    Action::NewSecret,
    Action::TakeBack,
    Action::Abandon,
];
