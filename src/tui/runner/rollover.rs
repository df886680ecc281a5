use std::sync::Arc;
use std::time::Duration;

use super::books::{Books, NoKey};
use super::{Runner, tell};
use crate::auth0::{Api, SecretRead};
use crate::domain::rotation::Progress;
use crate::domain::target::Place;
use crate::domain::target::holding;
use crate::domain::{Domain, Rollover, Secret};
use crate::ledger::LedgerError;
use crate::rollover::{self, Desk, Ended, Patience, Subject, Trouble, TroubleKind, Until};
use crate::targets;
use crate::tenants::{Tenants, full_path};
use crate::tui::app::effect::Effect;
use crate::tui::app::event::{Checked, Event, PendingTrouble};
use crate::tui::app::job::{JobId, Procedure, Task};
use crate::tui::app::records::{Arrangements, LedgerRead};
use crate::tui::app::screen::target_form::Arranging;
use crate::tui::app::state::TenantId;

/// How long what is waited for at the pretend tenant: nothing arrives late there.
const DEMO_PATIENCE: Duration = Duration::from_secs(4);

impl Runner {
    /// What concerns rollovers: the ledger, the targets, the procedures.
    pub(super) fn work(&mut self, effect: Effect) {
        let sender = self.sender.clone();
        let demo = self.state.screen_is_demo();
        match effect {
            Effect::ReadRecords(id, version) => {
                let books = self.books_of(demo);
                let arrangements = self.arrangements(demo);
                self.tasks.spawn_blocking(move || {
                    tell(&sender, Event::ArrangementsRead(id, arrangements().map(Box::new)));
                    tell(&sender, Event::LedgerRead(id, read(&books, version)));
                });
            }
            Effect::Run(job, id, task) => {
                let Some(api) = self.apis.get(&id).cloned() else {
                    let trouble = Trouble::not_now("nothing was done: there is no connection to this tenant", "");
                    return tell(&sender, Event::JobEnded(job, Box::new(Err(trouble))));
                };
                let books = self.books_of(self.is_demo(id));
                let patience = self.patience(api.domain());
                self.tasks.spawn(async move {
                    let progress = sender.clone();
                    let report = move |told| tell(&progress, Event::JobProgressed(job, told));
                    let event = run(&books, api, patience, *task, job, report).await;
                    if books.holds_keys() {
                        tell(&sender, Event::Unsealed);
                    }
                    tell(&sender, event);
                });
            }
            Effect::OpenPending(ticket, id, row) => {
                let books = self.books_of(self.is_demo(id));
                self.tasks.spawn(async move {
                    let opened = pending(&books, *row).await;
                    if books.holds_keys() {
                        tell(&sender, Event::Unsealed);
                    }
                    tell(&sender, Event::PendingOpened(ticket, opened));
                });
            }
            Effect::CheckTargets(ticket, id, task, row) => {
                let books = self.books_of(self.is_demo(id));
                let api = self.apis.get(&id).cloned();
                self.tasks.spawn(async move {
                    let found = check(&books, api, *task, row.as_deref()).await;
                    tell(&sender, Event::TargetsChecked(ticket, found));
                });
            }
            Effect::Arrange(id, arranging) => {
                let tenants = self.tenants.clone();
                let profile = self.state.profile().cloned();
                self.tasks.spawn_blocking(move || {
                    let result = match (tenants, profile) {
                        (Some(tenants), Some(profile)) => arrange(&tenants, &profile, *arranging),
                        _ => Err("there is no configuration here".to_owned()),
                    };
                    tell(&sender, Event::Arranged(id, result));
                });
            }
            Effect::GivePassphrase(secret, new) => {
                let Some(tenants) = self.tenants.clone() else { return };
                self.tasks.spawn(async move {
                    let given =
                        if new { tenants.choose_passphrase(secret).await } else { tenants.unlock(secret).await };
                    tell(&sender, Event::PassphraseGiven(given.map_err(|error| error.to_string())));
                });
            }
            Effect::Lock => self.books.lock(),
            _ => {}
        }
    }

    fn books_of(&self, demo: bool) -> Arc<Books> {
        Arc::clone(if demo { &self.demo_books } else { &self.books })
    }

    /// Whether this tenant is the pretend one: the latest that was opened as such.
    fn is_demo(&self, id: TenantId) -> bool {
        self.demo_id == Some(id) || (self.state.tenant_id() == Some(id) && self.state.screen_is_demo())
    }

    /// How long what is waited for.
    fn patience(&self, domain: &Domain) -> Patience {
        match self.patience {
            Some(patience) => patience,
            None if domain.is_loopback() => Patience::default().at_most(DEMO_PATIENCE),
            None => Patience::default(),
        }
    }

    /// What reads the configuration, on another thread.
    fn arrangements(&self, demo: bool) -> impl FnOnce() -> Result<Arrangements, String> + Send + 'static {
        let targets = self.demo_targets.as_ref().filter(|_| demo).map(|made| made.targets().clone());
        let (tenants, profile) = (self.tenants.clone(), self.state.profile().cloned());
        move || {
            let config = tenants.map(|tenants| tenants.config()).transpose().map_err(|error| error.to_string())?;
            let mut arrangements = Arrangements::default();
            if let Some(config) = &config {
                arrangements.nag_after_days = config.nag_after_days;
                arrangements.lock_after_minutes = config.lock_after_minutes;
                let known = profile.as_ref().and_then(|profile| config.profile_of(&profile.domain));
                arrangements.targets = known.map(|known| known.targets.clone()).unwrap_or_default();
            }
            if let Some(targets) = targets {
                arrangements.targets = targets;
            }
            Ok(arrangements)
        }
    }
}

fn read(books: &Books, version: Option<i64>) -> Result<Option<LedgerRead>, LedgerError> {
    let Some(ledger) = books.existing()? else {
        return Ok(version.is_none().then(|| LedgerRead { rollovers: Vec::new(), version: 0 }));
    };
    let now = ledger.version()?;
    if version == Some(now) {
        return Ok(None);
    }
    Ok(Some(LedgerRead { rollovers: ledger.all(None)?, version: now }))
}

async fn run(
    books: &Arc<Books>,
    api: Api,
    patience: Patience,
    task: Task,
    job: JobId,
    mut report: impl FnMut(Progress) + Send,
) -> Event {
    let ended = |ended: Ended| Event::JobEnded(job, Box::new(ended));
    let opened = {
        let books = Arc::clone(books);
        tokio::task::spawn_blocking(move || books.open()).await
    };
    let (ledger, key) = match opened {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => return ended(Err(error.into())),
        Err(_) => return ended(Err(Trouble::not_now("the ledger could not be opened", ""))),
    };
    // Whoever begins anew knows every secret from its own work; whoever goes on has to open what is sealed.
    let opens = match ledger.latest(api.domain(), &task.client_id) {
        Ok(row) => row.is_some_and(|row| !row.state.is_final()),
        Err(error) => return ended(Err(error.into())),
    };
    match books.give_key(&ledger, opens && task.procedure != Procedure::RotateNow).await {
        Ok(()) => {}
        Err(NoKey::Asks(need, why)) => return Event::JobNeedsKey(job, need, why),
        Err(NoKey::Ledger(error)) => return ended(Err(error.into())),
        Err(NoKey::Unavailable(why)) => {
            return ended(Err(Trouble::not_now(why, "`rollover ledger` says who can open it.")));
        }
    }
    let auth = match task.auth {
        Some(auth) => auth,
        None => match api.client(&task.client_id).await {
            Ok(client) => client.summary.auth,
            Err(error) => return ended(Err(error.into())),
        },
    };
    let subject = Subject { client_id: task.client_id, name: task.name, auth, targets: task.targets };
    let desk = Desk { api, ledger, key, patience, clock: rollover::seconds };
    let came_to = match task.procedure {
        Procedure::Stage => {
            let until = if subject.targets.is_empty() { Until::Stage } else { Until::Deliver };
            rollover::rotate(&desk, &subject, until, false, &mut report).await
        }
        Procedure::SaveChanges { anyway: true } if !subject.targets.is_empty() => {
            rollover::go_live_anyway(&desk, &subject, &mut report).await
        }
        Procedure::SaveChanges { anyway } => {
            rollover::rotate(&desk, &subject, Until::Promote, anyway, &mut report).await
        }
        Procedure::Retire => rollover::retire(&desk, &subject, &mut report).await,
        Procedure::TakeBack => rollover::rollback(&desk, &subject, &mut report).await,
        Procedure::Resume(choice) => rollover::resume(&desk, &subject, choice, &mut report).await,
        Procedure::Abandon => rollover::abandon(&desk, &subject, &mut report).await,
        Procedure::RotateNow => rollover::rotate_now(&desk, &subject, &mut report).await,
    };
    match &came_to {
        // The key was forgotten meanwhile: what was done is recorded, and it can be run again once the key is there.
        Err(Trouble { kind: TroubleKind::Ledger(LedgerError::Locked), message, .. }) => {
            Event::JobNeedsKey(job, crate::tui::app::screen::ask_secret::KeyNeed::Passphrase, message.clone())
        }
        _ => ended(came_to),
    }
}

async fn pending(books: &Arc<Books>, row: Rollover) -> Result<Option<Arc<Secret>>, PendingTrouble> {
    let failed = |error: LedgerError| PendingTrouble::Failed(error.to_string());
    let (ledger, _) = books.open().map_err(failed)?;
    books.give_key(&ledger, true).await.map_err(|no| match no {
        NoKey::Asks(need, why) => PendingTrouble::Needs(need, why),
        NoKey::Ledger(error) => failed(error),
        NoKey::Unavailable(why) => PendingTrouble::Failed(why),
    })?;
    let opened = tokio::task::spawn_blocking(move || ledger.secret(&row, crate::domain::Role::New)).await;
    opened.map_err(|_| PendingTrouble::Failed("the work on the ledger broke off".to_owned()))?.map_err(failed)
}

async fn check(books: &Arc<Books>, api: Option<Api>, task: Task, row: Option<&Rollover>) -> Vec<Checked> {
    let opened = books.open();
    let live = match &api {
        Some(api) => match api.client_secret(&task.client_id).await {
            Ok(SecretRead::Readable(live)) => Some(live),
            // What is recorded tells too, though less.
            Ok(SecretRead::NotVisible) | Err(_) => None,
        },
        None => None,
    };
    let mut found = Vec::new();
    for target in &task.targets {
        let (holding, warnings) = match &opened {
            Ok((_, key)) => match targets::read(target, &task.client_id, key).await {
                Ok(reading) => (Ok(holding(&reading.slots, live.as_deref(), row, key)), reading.warnings),
                Err(error) => (Err(format!("{} {}", error.message, error.hint).trim().to_owned()), Vec::new()),
            },
            Err(error) => (Err(error.to_string()), Vec::new()),
        };
        found.push(Checked { name: target.name.clone(), holding, warnings });
    }
    found
}

fn arrange(tenants: &Tenants, profile: &crate::domain::Profile, arranging: Arranging) -> Result<(), String> {
    let Arranging { client_id, remove, put } = arranging;
    if let Some(mut target) = put {
        if let Place::File(file) = &mut target.place {
            file.path = full_path(&file.path).map_err(|error| error.to_string())?;
        }
        let before = tenants.targets_of(profile, &client_id).into_iter().find(|one| Some(&one.name) == remove.as_ref());
        // One with another name, which writes to the same place, comes only once the old one is gone.
        if let Some(before) = &before {
            tenants.remove_target(profile, &client_id, &before.name).map_err(|error| error.to_string())?;
        }
        if let Err(error) = tenants.put_target(profile, &client_id, &target) {
            if let Some(before) = &before {
                // What could not be written is what is told.
                let _ = tenants.put_target(profile, &client_id, before);
            }
            return Err(error.to_string());
        }
        return Ok(());
    }
    match remove {
        Some(name) => tenants.remove_target(profile, &client_id, &name).map_err(|error| error.to_string()),
        None => Ok(()),
    }
}
