//! A progress bar on the terminal, made of events.

use std::fmt;
use std::time::Duration;

use indicatif::{ProgressBar as Bar, ProgressDrawTarget, ProgressStyle};
use musher_graph_core::TaskIx;

use crate::event::{Event, Observer};
use crate::sync::Mutex;

/// How often the line is drawn anew at most.
const REFRESH_HZ: u8 = 10;

/// Shows how many tasks have finished and which operation runs; drawn on a terminal only.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// use musher_scheduler::{Compute, Options};
/// assert_eq!(delayed(|| 42).call(()).compute_with(&Options::default().progress())?, 42);
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[derive(Default)]
pub struct ProgressBar {
    bar: Mutex<Option<Bar>>,
}

impl ProgressBar {
    /// A bar that appears when a run starts.
    pub fn new() -> Self {
        Self::default()
    }
}

impl fmt::Debug for ProgressBar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProgressBar")
    }
}

fn label(plan: &musher_graph_core::Plan, task: TaskIx) -> String {
    plan.tasks().layer(task).task.label().into_owned()
}

impl Observer for ProgressBar {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::RunStarted { plan } => {
                let bar = Bar::with_draw_target(
                    Some(plan.tasks().n_tasks() as u64),
                    ProgressDrawTarget::stderr_with_hz(REFRESH_HZ),
                );
                let template = "{elapsed_precise} [{bar:40}] {pos}/{len} tasks {wide_msg}";
                if let Ok(style) = ProgressStyle::with_template(template) {
                    bar.set_style(style.progress_chars("=> "));
                }
                bar.enable_steady_tick(Duration::from_millis(250));
                *self.bar.lock() = Some(bar);
            }
            Event::TaskStarted { plan, task, .. } => {
                if let Some(bar) = &*self.bar.lock()
                    && !bar.is_hidden()
                {
                    bar.set_message(label(plan, task));
                }
            }
            Event::TaskFinished { .. } => {
                if let Some(bar) = &*self.bar.lock() {
                    bar.inc(1);
                }
            }
            Event::Continued { more, .. } => {
                if let Some(bar) = &*self.bar.lock() {
                    bar.inc_length(more.tasks().n_tasks() as u64);
                }
            }
            Event::TaskFailed { .. }
            | Event::TaskRetried { .. }
            | Event::ChunkSpilled { .. }
            | Event::ChunkLoaded { .. } => {}
            Event::Stalled { elapsed, .. } => {
                if let Some(bar) = &*self.bar.lock() {
                    bar.set_message(format!("nothing moves for {} s", elapsed.as_secs()));
                }
            }
            Event::RunFinished { .. } => {
                if let Some(bar) = self.bar.lock().take() {
                    bar.finish_and_clear();
                }
            }
        }
    }
}
