use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::domain::Target;
use crate::domain::target::{FilePlace, Format, Place, SlotNames};
use crate::{files, sim};

/// The client "Billing API" of the demo tenant.
const BILLING: &str = "Qm2vXz8KpL4nRt7YwB1cFj6HsD9gUe3A";
/// The client "Checkout".
const CHECKOUT: &str = "Zc7Rj1MvK9xTqE5bNo3WlHyU8dFp2GsA";

/// Files from which apps of the demo's clients would read their secrets, in a folder of their own that goes when the demo ends: what
/// a rollover does can be tried whole, and looked at from another terminal.
#[derive(Debug)]
pub(super) struct DemoTargets {
    folder: PathBuf,
    targets: BTreeMap<String, Vec<Target>>,
}

impl DemoTargets {
    /// The files, with the secrets that are live in this tenant.
    ///
    /// # Errors
    /// As the system says.
    pub(super) fn make(tenant: &sim::Running) -> io::Result<Self> {
        let mut random = [0_u8; 8];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| io::Error::other("no random bytes"))?;
        let number = u64::from_le_bytes(random);
        let folder = std::env::temp_dir().join(format!("rollover-demo-{}-{number:016x}", std::process::id()));
        let mut made = Self { folder: folder.clone(), targets: BTreeMap::new() };
        files::private_folder(&folder)?;
        // What is seen of a path on a narrow screen is its end: that one is the same in each run.
        let apps = folder.join("apps-of-the-demo");
        files::private_folder(&apps)?;
        for (client_id, name, file, format) in [
            (BILLING, "billing-api", "billing-api.env", Format::Dotenv),
            (BILLING, "billing-worker", "billing-worker.json", Format::Json),
            (CHECKOUT, "checkout", "checkout.env", Format::Dotenv),
        ] {
            let Some(secret) = tenant.secret_of(client_id) else { continue };
            let path = apps.join(file);
            let (text, slots) = match format {
                Format::Json => (
                    format!("{{\n  \"port\": 8080,\n  \"auth0\": {{\n    \"client_secret\": \"{secret}\"\n  }}\n}}\n"),
                    SlotNames::Two {
                        current: "auth0.client_secret".to_owned(),
                        fallback: "auth0.client_secret_fallback".to_owned(),
                    },
                ),
                _ => (
                    format!("PORT=8080\nAUTH0_CLIENT_ID={client_id}\nAUTH0_CLIENT_SECRET={secret}\nLOG=info\n"),
                    SlotNames::default(),
                ),
            };
            write(&path, &text)?;
            let place = Place::File(FilePlace { path, format, follow_links: false, allow_mode: false });
            let target = Target { name: name.to_owned(), place, slots, after: Vec::new() };
            made.targets.entry(client_id.to_owned()).or_default().push(target);
        }
        Ok(made)
    }

    /// The targets, by client.
    pub(super) fn targets(&self) -> &BTreeMap<String, Vec<Target>> {
        &self.targets
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    files::replace(path, text.as_bytes())
}

impl Drop for DemoTargets {
    fn drop(&mut self) {
        // What is left behind holds secrets of a tenant that is gone.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
