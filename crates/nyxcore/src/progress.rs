//! Progress output on standard error: a bar for each active step, and a line when it is done.

use std::fmt::Write as _;
use std::io;
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use futures::StreamExt;
use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressStyle};
use nyxcore_runs::{EventBody, Level, Progress, Run, RunId, RunStatus, Runs, run_follow};
use nyxcore_tenancy::{Repository, Store, TenantId};
use owo_colors::{OwoColorize, Style};

use crate::error::{Error, Result};

/// How often a bar moves without a report of progress.
const TICK: Duration = Duration::from_millis(120);

/// The template of a bar without a known total.
const SPINNER: &str = "{spinner:.cyan} {prefix:8} {msg} {elapsed:.dim}";
/// The template of a bar with a known total.
const COUNTED: &str = "{spinner:.cyan} {prefix:8} {bar:30.cyan/dim} {human_pos}/{human_len} {msg:.dim} {elapsed:.dim}";

/// The part of the terminal with the progress bars. If standard error is not a terminal, only the lines are printed.
#[derive(Clone)]
pub struct Screen {
    bars: MultiProgress,
    colour: bool,
}

impl Screen {
    /// Creates an empty screen.
    pub fn new() -> Self {
        Self {
            bars: MultiProgress::new(),
            colour: !matches!(AutoStream::choice(&io::stderr()), ColorChoice::Never),
        }
    }

    /// The bars, for other writers to standard error.
    pub fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// Starts a step.
    pub fn step(&self, title: &str) -> Step {
        let bar = self.bars.add(ProgressBar::new_spinner());
        bar.set_style(spinner());
        bar.set_prefix(title.to_owned());
        bar.enable_steady_tick(TICK);
        Step {
            screen: self.clone(),
            bar,
            title: title.to_owned(),
            begun: Instant::now(),
        }
    }

    /// Prints a hint.
    pub fn hint(&self, text: &str) {
        let text = format!("  {text}");
        self.line(&text.style(self.style(Style::new().dimmed())).to_string());
    }

    /// Prints a warning.
    pub fn warning(&self, text: &str) {
        let mark = "!"
            .style(self.style(Style::new().yellow().bold()))
            .to_string();
        self.line(&format!("{mark} {text}"));
    }

    fn line(&self, text: &str) {
        self.bars.suspend(|| anstream::eprintln!("{text}"));
    }

    fn style(&self, style: Style) -> Style {
        if self.colour { style } else { Style::new() }
    }
}

/// A step in progress.
pub struct Step {
    screen: Screen,
    bar: ProgressBar,
    title: String,
    begun: Instant,
}

impl Step {
    /// Shows that a phase began.
    pub fn phase(&self, name: &str) {
        self.bar.set_style(spinner());
        self.bar.set_length(0);
        self.bar.set_position(0);
        self.bar.set_message(name.to_owned());
    }

    /// Shows the progress of the phase.
    pub fn progress(&self, done: u64, total: Option<u64>) {
        match total.filter(|total| *total > 0) {
            Some(total) => {
                if self.bar.length() != Some(total) {
                    self.bar.set_style(counted());
                    self.bar.set_length(total);
                }
                self.bar.set_position(done);
            }
            None => self.bar.set_position(done),
        }
    }

    /// Finishes the step with a line on its outcome. Returns how long it took.
    pub fn done(self, outcome: &str) -> Duration {
        let took = self.begun.elapsed();
        self.bar.finish_and_clear();
        let mark = "✓"
            .style(self.screen.style(Style::new().green().bold()))
            .to_string();
        let mut line = format!("{mark} {:<8}", self.title);
        let _infallible = write!(line, " {outcome}");
        let time = format!("  {}", seconds(took));
        let time = time
            .style(self.screen.style(Style::new().dimmed()))
            .to_string();
        self.screen.line(&format!("{line}{time}"));
        took
    }

    /// Ends a failed step. The error itself is printed at the end of the program.
    pub fn failed(self) {
        self.bar.finish_and_clear();
        let mark = "✗"
            .style(self.screen.style(Style::new().red().bold()))
            .to_string();
        self.screen.line(&format!("{mark} {}", self.title));
    }

    /// Shows the progress of a run until its end.
    ///
    /// # Errors
    /// [`Error::Run`] where it did not succeed.
    pub async fn run_watch(&self, store: &Store, tenant: TenantId, id: RunId) -> Result<Run> {
        let events = run_follow(store, tenant, id, 0);
        tokio::pin!(events);
        while let Some(event) = events.next().await {
            match event?.body {
                EventBody::PhaseStarted { phase } => self.phase(&phase),
                EventBody::Progressed { progress } => self.told(&progress),
                EventBody::Message {
                    level: Level::Warning,
                    text,
                } => self.screen.warning(&text),
                EventBody::Message { .. }
                | EventBody::PhaseSkipped { .. }
                | EventBody::Text { .. }
                | EventBody::Finished { .. } => {}
            }
        }
        let scoped = store.read(tenant).await?;
        let run = Runs::require(&scoped, id).await?;
        match (run.status, &run.error) {
            (RunStatus::Succeeded, _) => Ok(run),
            (_, Some(error)) => Err(Error::Run {
                code: error.code.clone(),
                message: error.message.clone(),
            }
            .into()),
            (_, None) => Err(Error::Run {
                code: "CANCELLED".into(),
                message: "the run was cancelled".into(),
            }
            .into()),
        }
    }

    fn told(&self, progress: &Progress) {
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        self.progress(count(progress.done), progress.total.map(count));
        if let Some(bytes) = progress.bytes_done {
            let text = format!("{} {}", progress.phase, HumanBytes(count(bytes)));
            self.bar.set_message(text);
        }
    }
}

/// `0.3 s`, `12 s`, `2 min 5 s`.
pub fn seconds(time: Duration) -> String {
    let whole = time.as_secs();
    match whole {
        0..=9 => format!("{:.1} s", time.as_secs_f64()),
        10..=119 => format!("{whole} s"),
        _ => format!("{} min {} s", whole / 60, whole % 60),
    }
}

fn spinner() -> ProgressStyle {
    style(SPINNER)
}

fn counted() -> ProgressStyle {
    style(COUNTED)
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants of this file; a test reads both.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .progress_chars("━╸─")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bars_templates_can_be_read() {
        for template in [SPINNER, COUNTED] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }

    #[test]
    fn times_read_well() {
        for (millis, text) in [(340, "0.3 s"), (12_400, "12 s"), (125_000, "2 min 5 s")] {
            assert_eq!(seconds(Duration::from_millis(millis)), text);
        }
    }
}
