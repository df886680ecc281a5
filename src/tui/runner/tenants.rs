use std::sync::Arc;

use super::{Message, Runner, tell};
use crate::domain::{OpenFailure, Profile, Secret};
use crate::preflight;
use crate::tenants::{Config, Tenants};
use crate::tui::app::effect::Effect;
use crate::tui::app::event::Event;
use crate::tui::app::screen::sign_in::{Storing, Tried};
use crate::tui::app::screen::switcher::Known;
use crate::tui::app::state::TenantId;

impl Runner {
    /// What concerns the configuration and what is stored.
    pub(super) fn ask_tenants(&mut self, effect: Effect) {
        let sender = self.sender.clone();
        let api = self.state.tenant_id().and_then(|id| self.apis.get(&id)).cloned();
        let read_only = self.state.read_only;
        let Some(tenants) = self.tenants.clone() else {
            if effect == Effect::Survey {
                tell(&sender, Event::Surveyed(Box::default(), Ok(Vec::new())));
            }
            return;
        };
        self.tasks.spawn(async move {
            let event = match effect {
                Effect::Survey => {
                    let known = tenants.config().map(|config| known(&tenants, config));
                    let known = known.map_err(|error| error.to_string());
                    Event::Surveyed(Box::new(tenants.surroundings().await), known)
                }
                Effect::Unlock(id, passphrase) => {
                    Event::Unlocked(id, tenants.unlock(passphrase).await.map_err(|error| error.to_string()))
                }
                Effect::TrySignIn(ticket, attempt) => {
                    let tried = tenants.try_out(&attempt.profile, attempt.secret).await;
                    let tried = tried.map(|(session, greeting)| Tried { session, greeting });
                    Event::Tried(ticket, Box::new(tried))
                }
                Effect::StoreTenant(ticket, storing) => Event::Stored(ticket, store(&tenants, *storing).await),
                Effect::Examine(ticket, which) => {
                    let open = which.as_ref().zip(api.as_ref()).map(|(which, api)| preflight::Open {
                        profile: &which.profile,
                        origin: &which.origin,
                        api,
                    });
                    let inputs = preflight::Inputs { read_only, open, ..preflight::Inputs::new(&tenants) };
                    Event::Examined(ticket, Box::new(preflight::run(inputs).await))
                }
                Effect::UseByDefault(name) => {
                    let result = tenants.use_by_default(&name).map_err(|error| error.to_string());
                    Event::UsedByDefault(name, result)
                }
                _ => return,
            };
            tell(&sender, event);
        });
    }

    pub(super) fn open(&mut self, id: TenantId, profile: Box<Profile>, typed: Option<Arc<Secret>>) {
        // What the tenant before was still loading is of no use to anybody.
        if let Some(earlier) = self.loading.take() {
            earlier.abort();
        }
        self.pace = None;
        let (sender, tenants) = (self.sender.clone(), self.tenants.clone());
        self.tasks.spawn(async move {
            let opened = match (tenants, typed) {
                (Some(tenants), Some(typed)) => tenants.open_with(&profile, typed),
                (Some(tenants), None) => tenants.open(&profile, None).await,
                (None, _) => Err(OpenFailure::new("no stored credentials are used here", "")),
            };
            match opened {
                // A loop that is gone needs no tenant any more.
                Ok(api) => drop(sender.send(Message::Opened(id, api))),
                Err(failure) => tell(&sender, Event::Opened(id, Err(failure))),
            }
        });
    }
}

/// The tenants of the configuration, and when each was used.
fn known(tenants: &Tenants, config: Config) -> Vec<Known> {
    let usage = tenants.usage();
    let selected = config.selected;
    let each = config.tenants.into_values();
    each.map(|profile| Known {
        last_used: usage.of(&profile.domain),
        selected: selected.as_ref() == Some(&profile.name),
        profile,
    })
    .collect()
}

async fn store(tenants: &Tenants, storing: Storing) -> Result<(), String> {
    if let Some(passphrase) = storing.passphrase {
        tenants.choose_passphrase(passphrase).await.map_err(|error| error.to_string())?;
    }
    tenants.store(&storing.profile, storing.secret, true).await.map_err(|error| error.to_string())
}
