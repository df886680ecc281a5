use crate::domain::rollover::State as Stands;
use crate::domain::{Domain, Rollover};
use crate::ledger::LedgerError;
use crate::tui::app::effect::Effect;
use crate::tui::app::job::Procedure;
use crate::tui::app::keymap::named;
use crate::tui::app::offer::{at_work, cannot_change};
use crate::tui::app::records::{Arrangements, LOOK_EVERY, LedgerRead, Records, moves};
use crate::tui::app::screen::{Main, Overlay, Screen};
use crate::tui::app::state::{State, TenantId, Tone};

/// Reads what the ledger and the configuration say, where something may have changed there.
pub(super) fn read_again(state: &mut State) -> Vec<Effect> {
    let Some(id) = state.tenant_id() else { return Vec::new() };
    state.records.look_anew();
    vec![Effect::ReadRecords(id, state.records.version)]
}

/// Takes in what the ledger knows.
pub(super) fn ledger_read(
    state: &mut State,
    id: TenantId,
    read: Result<Option<LedgerRead>, LedgerError>,
) -> Vec<Effect> {
    if state.tenant_id() != Some(id) {
        return Vec::new();
    }
    match read {
        Ok(read) => {
            let changed = read.is_some();
            state.records.take(read);
            if changed {
                let Records { leased, rollovers, .. } = &mut state.records;
                leased.retain(|id, _| rollovers.iter().any(|row| row.client_id == *id && moves(row)));
                keep_selection(state);
                return go_on(state);
            }
        }
        Err(error) => {
            state.records.looking = false;
            if state.records.trouble.as_ref() != Some(&error) {
                state.say(Tone::Bad, format!("Nothing is changed as long as the ledger cannot be used: {error}"));
            }
            state.records.trouble = Some(error);
        }
    }
    Vec::new()
}

/// The lists may have become shorter.
fn keep_selection(state: &mut State) {
    let Screen::Main(main) = &state.screen else { return };
    let count = state.records.of(main.tenant.domain()).count();
    if let Some(Overlay::Rollovers(selected)) = &mut state.overlay {
        *selected = (*selected).min(count.saturating_sub(1));
    }
}

/// Takes in what the configuration says.
pub(super) fn arrangements_read(state: &mut State, id: TenantId, read: Result<Box<Arrangements>, String>) {
    if state.tenant_id() != Some(id) {
        return;
    }
    match read {
        Ok(read) => {
            state.records.arrangements = *read;
            state.records.misconfigured = None;
        }
        Err(why) => {
            state.say(Tone::Bad, format!("The targets are not known: {why}"));
            state.records.misconfigured = Some(why);
        }
    }
}

/// Says what was left unfinished, and goes on with what needs no decision: once for each tenant that is opened.
pub(super) fn go_on(state: &mut State) -> Vec<Effect> {
    let Screen::Main(main) = &state.screen else { return Vec::new() };
    let ready = state.records.read && matches!(main.tenant.session, Some(Ok(_)));
    if state.records.gone_on || !ready {
        return Vec::new();
    }
    let domain = main.tenant.domain().clone();
    let left: Vec<Rollover> = state.records.unfinished(&domain).cloned().collect();
    let may = cannot_change(state, main).is_none();
    state.records.gone_on = true;
    if left.is_empty() {
        return Vec::new();
    }
    let text = told(state, &left);
    state.say(Tone::Warning, text);
    let mut effects = Vec::new();
    for row in left.iter().filter(|row| may && goes_on_by_itself(row)) {
        effects.extend(super::rollover::resume_row(state, row, Procedure::Resume(None)));
    }
    effects
}

/// Whether nothing has to be decided: a request is looked into, a step that was begun is finished.
fn goes_on_by_itself(row: &Rollover) -> bool {
    row.state.needs_reconciling()
        || row.doubt.is_some() && !row.state.needs_person()
        || matches!(row.state, Stands::Planned | Stands::Baselined | Stands::Verified | Stands::Promoting)
}

fn told(state: &State, left: &[Rollover]) -> String {
    const MOST: usize = 3;
    let mut each: Vec<String> = left
        .iter()
        .take(MOST)
        .map(|row| format!("{} ({})", named(&row.name, &row.client_id), standing(state, row)))
        .collect();
    if left.len() > MOST {
        each.push(format!("{} more", left.len() - MOST));
    }
    let count = if left.len() == 1 { "1 rollover is".to_owned() } else { format!("{} rollovers are", left.len()) };
    format!("{count} unfinished: {}. o shows all.", each.join(", "))
}

/// Where a rollover stands, in a word or two; and what is overdue.
#[must_use]
pub fn standing(state: &State, row: &Rollover) -> String {
    match row.overdue(state.wall(), state.records.arrangements.nag_after_days) {
        Some(days) => format!("holding for {days} days: retire it"),
        None => row.state.words().to_owned(),
    }
}

/// Sees to it that what another process does is looked at, as long as it is on screen.
pub(super) fn watch(state: &mut State) {
    let worth = state.records.worth_looking() && !state.ending && other_at_work(state);
    match (worth, state.records.next_look) {
        (true, None) => state.records.next_look = Some(state.now.after(LOOK_EVERY)),
        (false, Some(_)) => {
            state.records.next_look = None;
            if !state.records.worth_looking() {
                state.records.leased.clear();
            }
        }
        _ => {}
    }
}

fn other_at_work(state: &State) -> bool {
    let Screen::Main(main) = &state.screen else { return false };
    let domain = main.tenant.domain();
    let ours = |client_id: &str| at_work(state, main, client_id).is_some();
    let theirs = |row: &Rollover| {
        !row.state.is_final()
            && (moves(row) || state.records.leased.contains_key(&row.client_id))
            && !ours(&row.client_id)
    };
    match &state.overlay {
        Some(Overlay::Rollovers(_)) => state.records.of(domain).any(theirs),
        Some(Overlay::Record(record)) => state.records.get(&record.id).is_some_and(theirs),
        _ => latest_in_pane(state, main, domain).is_some_and(theirs),
    }
}

fn latest_in_pane<'a>(state: &'a State, main: &Main, domain: &'a Domain) -> Option<&'a Rollover> {
    main.pane.as_ref().and_then(|pane| state.records.latest(domain, &pane.client_id))
}

/// The look that is due.
pub(super) fn due_look(state: &mut State) -> Option<Effect> {
    let due = state.records.next_look.is_some_and(|at| at <= state.now);
    if !due || state.records.looking {
        return None;
    }
    state.records.next_look = None;
    state.records.looking = true;
    Some(Effect::ReadRecords(state.tenant_id()?, state.records.version))
}
