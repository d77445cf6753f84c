//! Resource slots: so many of a thing, of which running tasks hold some.

use musher_graph_core::{Annotations, Plan, TaskIx};

use crate::error::{Error, site};
use crate::run::Run;

/// What there is of each resource, and what of it is free.
#[derive(Debug)]
pub(super) struct Resources {
    slots: Vec<Resource>,
}

#[derive(Debug)]
struct Resource {
    name: String,
    capacity: u32,
    free: u32,
}

impl Resources {
    pub(super) fn new(run: &Run) -> Self {
        let slot = |(name, capacity): &(String, u32)| Resource {
            name: name.clone(),
            capacity: *capacity,
            free: *capacity,
        };
        Self { slots: run.resources.iter().map(slot).collect() }
    }

    /// Refuses a plan with a task that wants more than there is.
    pub(super) fn check(&self, plan: &Plan) -> Result<(), Error> {
        if !plan.has_annotations() {
            return Ok(());
        }
        for task in first_tasks(plan) {
            for (name, wanted) in of(plan, task).into_iter().flat_map(Annotations::resources) {
                let capacity = self.find(name).map_or(0, |at| self.slots[at].capacity);
                if wanted > capacity {
                    let (operation, _, caller) = site(plan, task);
                    return Err(Error::Resource {
                        operation,
                        caller,
                        name: name.to_owned(),
                        wanted,
                        capacity,
                    });
                }
            }
        }
        Ok(())
    }

    /// What a task wants, if there is anything to be had.
    #[inline]
    fn of<'a>(&self, plan: &'a Plan, task: TaskIx) -> Option<&'a Annotations> {
        if self.slots.is_empty() { None } else { of(plan, task) }
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.slots.iter().position(|slot| slot.name == name)
    }

    /// Takes what a task wants, all or nothing.
    #[inline]
    pub(super) fn take(&mut self, plan: &Plan, task: TaskIx) -> bool {
        // A plan that wants what there is not was refused.
        self.of(plan, task).is_none_or(|annotations| self.take_all(annotations))
    }

    fn take_all(&mut self, annotations: &Annotations) -> bool {
        let is_free = annotations
            .resources()
            .all(|(name, wanted)| self.find(name).is_some_and(|at| self.slots[at].free >= wanted));
        if is_free {
            for (name, wanted) in annotations.resources() {
                if let Some(at) = self.find(name) {
                    self.slots[at].free -= wanted;
                }
            }
        }
        is_free
    }

    /// Gives back what a task held; whether it held something.
    #[inline]
    pub(super) fn give_back(&mut self, plan: &Plan, task: TaskIx) -> bool {
        self.of(plan, task).is_some_and(|annotations| self.give_all_back(annotations))
    }

    fn give_all_back(&mut self, annotations: &Annotations) -> bool {
        let mut held = false;
        for (name, wanted) in annotations.resources() {
            if let Some(at) = self.find(name) {
                self.slots[at].free += wanted;
                held = true;
            }
        }
        held
    }
}

fn of(plan: &Plan, task: TaskIx) -> Option<&Annotations> {
    plan.tasks().layers()[plan.tasks().layer_of(task)].annotations.as_deref()
}

/// The first task of each layer: tasks of one layer want the same.
fn first_tasks(plan: &Plan) -> impl Iterator<Item = TaskIx> {
    let tasks = plan.tasks();
    let mut next = 0;
    (0..tasks.n_tasks() as u32).map(TaskIx).filter(move |&task| {
        let layer = tasks.layer_of(task);
        let is_first = layer >= next;
        next = next.max(layer + 1);
        is_first
    })
}
