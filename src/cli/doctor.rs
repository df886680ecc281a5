use std::borrow::Cow;
use std::io;

use serde_json::json;

use super::Ended;
use super::arguments::{Doctor, Global};
use super::exit::code;
use super::output::Output;
use super::session::tenants;
use crate::domain::preflight::{Finding, Report, Standing, Topic};
use crate::preflight::{self, Inputs};
use crate::tui::view::text::width;

/// Looks at what works here and what does not, and tells it.
pub async fn run(global: &Global, doctor: &Doctor) -> Ended {
    let tenants = tenants()?;
    let inputs = Inputs { flag: global.tenant.as_deref(), read_only: global.read_only, ..Inputs::new(&tenants) };
    let report = preflight::run(inputs).await;
    let mut output = Output::new(doctor.json);
    if doctor.json {
        output.document(&document(&report))?;
    } else if output.table {
        list(&mut output, &report)?;
        output.progress(&report.summary());
    } else {
        separated(&mut output, &report)?;
    }
    Ok(code_of(&report))
}

/// What a script has to do about it: where all problems ask for the same, its own code says so.
fn code_of(report: &Report) -> u8 {
    let problems = report.findings.iter().filter(|finding| finding.standing == Standing::Problem);
    let mut codes: Vec<_> = problems
        .map(|finding| match finding.topic {
            Topic::Selection | Topic::SignIn | Topic::Validity | Topic::Acceptance => code::NOT_SIGNED_IN,
            Topic::Name | Topic::Reach => code::UNREACHABLE,
            _ => code::FAILED,
        })
        .collect();
    codes.sort_unstable();
    codes.dedup();
    match codes.as_slice() {
        [] => code::DONE,
        [one] => *one,
        _ => code::FAILED,
    }
}

fn document(report: &Report) -> serde_json::Value {
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            json!({
                "topic": finding.topic.id(),
                "state": finding.standing.name(),
                "what": finding.what,
                "mend": finding.mend,
            })
        })
        .collect();
    let settings: Vec<_> = report
        .settings
        .iter()
        .map(|setting| json!({ "name": setting.name, "value": setting.value, "origin": setting.source.to_string() }))
        .collect();
    json!({ "version": env!("CARGO_PKG_VERSION"), "findings": findings, "settings": settings })
}

/// For a person: by area, each mend below what it mends, the settings at the end.
fn list(output: &mut Output, report: &Report) -> io::Result<()> {
    let widest = report.findings.iter().map(|finding| width(finding.topic.title())).max().unwrap_or_default();
    for (area, findings) in report.areas() {
        output.heading(area.title())?;
        for finding in findings {
            tell(output, finding, widest)?;
        }
        output.line("")?;
    }
    let settings = report.settings.iter().map(|setting| {
        [Cow::from(setting.name.as_str()), setting.value.as_str().into(), setting.source.to_string().into()]
    });
    output.rows(["SETTING", "VALUE", "FROM"], settings)
}

fn tell(output: &mut Output, finding: &Finding, widest: u16) -> io::Result<()> {
    let title = finding.topic.title();
    let gap = " ".repeat(usize::from(widest - width(title)));
    let before = format!("  {} {title}{gap}  ", finding.standing.sign());
    output.told(finding.standing, &before, &finding.what)?;
    match &finding.mend {
        Some(mend) => output.told(Standing::Ok, &" ".repeat(usize::from(width(&before))), &format!("→ {mend}")),
        None => Ok(()),
    }
}

/// For a program: topic, standing, what, mend; then, with `setting` in front, name, value and origin.
fn separated(output: &mut Output, report: &Report) -> io::Result<()> {
    let findings = report.findings.iter().map(|finding| {
        [
            Cow::from(finding.topic.id()),
            finding.standing.name().into(),
            finding.what.as_str().into(),
            finding.mend.as_deref().unwrap_or_default().into(),
        ]
    });
    let settings = report.settings.iter().map(|setting| {
        let (name, value) = (setting.name.as_str(), setting.value.as_str());
        ["setting".into(), name.into(), value.into(), setting.source.to_string().into()]
    });
    output.rows(["", "", "", ""], findings.chain(settings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_says_what_to_do_where_all_problems_ask_for_the_same() {
        let code = |topics: &[Topic]| {
            code_of(&Report::new(topics.iter().map(|topic| Finding::problem(*topic, "x", "")).collect(), Vec::new()))
        };
        assert_eq!(code(&[]), code::DONE);
        assert_eq!(code(&[Topic::Selection]), code::NOT_SIGNED_IN);
        assert_eq!(code(&[Topic::Validity, Topic::Acceptance]), code::NOT_SIGNED_IN);
        assert_eq!(code(&[Topic::Reach]), code::UNREACHABLE);
        assert_eq!(code(&[Topic::Config]), code::FAILED);
        assert_eq!(code(&[Topic::Reach, Topic::Validity]), code::FAILED);
        let warned = Report::new(vec![Finding::warning(Topic::Reach, "x", "")], Vec::new());
        assert_eq!(code_of(&warned), code::DONE);
    }
}
