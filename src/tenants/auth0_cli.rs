use super::Variables;
use crate::domain::*;
#[derive(Debug)]
pub struct CliTenant {
    pub domain: Domain,
    pub name: String,
    pub expires_at: Option<i64>,
    pub scopes: Option<Scopes>,
}
pub struct Found {
    pub tenants: Vec<CliTenant>,
}
#[derive(Debug)]
pub struct CliError;
impl std::fmt::Display for CliError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("stub")
    }
}
pub fn tenants(_: Variables<'_>) -> Result<Found, CliError> {
    Ok(Found { tenants: vec![] })
}
pub async fn token(_: Variables<'_>, _: &Domain) -> Result<Secret, CliError> {
    Err(CliError)
}
