//! Checking a plan before the first byte is read: writers that meet, files that are missing, memory and disk that
//! cannot suffice. Whether wirings fit their grids was told when the graph was collected.

mod files;
mod occupied;
mod problem;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

pub use files::{Files, FreeSpace, LocalFiles};
use occupied::Occupied;
pub use problem::{Operation, Problem};

use crate::forecast::Policy;
use crate::lower::TaskIx;
use crate::plan::Plan;
use crate::touch::{Access, Region, Touch};

/// What a plan may use, and how its files are looked at.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct CheckLimits<'a> {
    /// Bytes of memory for chunks, scratch and the plan's tables; `None` checks no memory.
    pub memory: Option<u64>,
    /// Bytes of disk for what is spilled; `None` checks none.
    pub spill_disk: Option<u64>,
    /// How files are looked at.
    pub files: &'a dyn Files,
}

impl<'a> CheckLimits<'a> {
    /// No limits: only files are looked at.
    pub fn new(files: &'a dyn Files) -> Self {
        Self { memory: None, spill_disk: None, files }
    }

    /// The same with this memory limit in bytes.
    #[must_use]
    pub fn memory(self, bytes: u64) -> Self {
        Self { memory: Some(bytes), ..self }
    }

    /// The same with this much disk for what is spilled, in bytes.
    #[must_use]
    pub fn spill_disk(self, bytes: u64) -> Self {
        Self { spill_disk: Some(bytes), ..self }
    }
}

impl Plan {
    /// Everything that is known to go wrong if this plan runs; nothing is run, read or written.
    ///
    /// What is unknown is not reported: chunks of unknown size count as nothing, and a task that does not declare what it
    /// [touches](crate::Task::touches) counts as touching nothing.
    ///
    /// **Cost** linear in tasks, edges and touched regions, and one look at each file.
    ///
    /// # Examples
    /// ```
    /// use musher_graph_core::*;
    /// struct Load(&'static str);
    /// impl Task for Load {
    ///     fn label(&self) -> std::borrow::Cow<'_, str> { "load".into() }
    ///     fn run(&self, _at: Place<'_>, _inputs: Inputs<'_>) -> Result<Output, TaskError> {
    ///         Ok(Output::one(Measured(std::fs::read_to_string(self.0)?)))
    ///     }
    ///     fn touches(&self, _at: Place<'_>) -> Vec<Touch> { vec![Touch::read(self.0)] }
    /// }
    /// let load = Layer::build(Load("not-here.csv")).finish(Grid::scalar());
    /// let request = Request { port: Port::of(load), places: Places::All };
    /// let plan = Plan::new(Graph::collect(&[request])?)?;
    /// let problems = plan.check(&CheckLimits::new(&LocalFiles));
    /// assert!(problems[0].to_string().contains("not-here.csv, which is not there"), "{}", problems[0]);
    /// # Ok::<(), musher_graph_core::Error>(())
    /// ```
    pub fn check(&self, limits: &CheckLimits<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(memory) = limits.memory {
            self.check_memory(memory, limits.spill_disk, &mut problems);
        }
        let touched = Touched::of(self, limits.files);
        touched.check_writers(self, &mut problems);
        touched.check_readers(self, limits.files, &mut problems);
        self.check_disk(limits.files, &mut problems);
        problems
    }

    fn operation(&self, task: TaskIx) -> Operation {
        let layer = self.tasks().layer(task);
        Operation { label: layer.task.label().into_owned(), caller: layer.caller }
    }

    fn check_memory(&self, limit: u64, spill_disk: Option<u64>, problems: &mut Vec<Problem>) {
        let tasks = self.tasks();
        let tables = tasks.table_bytes() as u64;
        let (known, _) = tasks.known_bytes();
        let staged = tasks.staged_bytes().saturating_mul(2);
        if (tables + known + tasks.largest_scratch()).saturating_add(staged) <= limit {
            return;
        }
        // Of each layer the task that needs most.
        let mut worst: Vec<(u64, TaskIx)> = vec![(0, TaskIx(0)); tasks.layers().len()];
        for task in (0..tasks.n_tasks() as u32).map(TaskIx) {
            let need = tables + tasks.footprint_of(task);
            let layer = &mut worst[tasks.layer_of(task)];
            *layer = (*layer).max((need, task));
        }
        let too_large = worst.into_iter().filter(|&(need, _)| need > limit);
        problems.extend(too_large.map(|(need, task)| Problem::TaskTooLarge {
            operation: self.operation(task),
            need,
            limit,
        }));
        let (result, largest) = tasks.result_footprint();
        let need = tables + result;
        if let Some(largest) = largest.filter(|_| need > limit) {
            problems.push(Problem::ResultTooLarge { operation: self.operation(largest), need, limit });
        }
        if let Some(disk) = spill_disk.filter(|_| problems.is_empty()) {
            let forecast = self.forecast(limit, Policy::Furthest);
            let need = forecast.spilled_bytes.saturating_add(forecast.staged_bytes);
            if need > disk {
                problems.push(Problem::SpillTooLarge { need, disk, memory: limit });
            }
        }
    }

    /// Compares what is written to each file system with what is free there.
    fn check_disk(&self, files: &dyn Files, problems: &mut Vec<Problem>) {
        let tasks = self.tasks();
        let mut needs: BTreeMap<u64, (u64, u64, Operation, PathBuf)> = BTreeMap::new();
        for (layer, table) in tasks.layers().iter().zip(tasks.tables()) {
            if table.n_tasks() == 0 || table.facts.bytes_written == 0 {
                continue;
            }
            let first = layer.task.touches(tasks.place_of(table.first_task()));
            let Some(target) = first.into_iter().find(|touch| touch.access == Access::Write) else {
                continue;
            };
            let Some(FreeSpace { device, bytes }) = files.free_space(&target.path) else { continue };
            let entry = needs
                .entry(device)
                .or_insert_with(|| (0, bytes, self.operation(table.first_task()), target.path.to_path_buf()));
            entry.0 = entry.0.saturating_add(table.facts.bytes_written);
        }
        let too_small = needs.into_values().filter(|(need, free, ..)| need > free);
        let too_small = too_small.map(|(need, free, operation, path)| Problem::DiskTooSmall {
            operation,
            path,
            need,
            free,
        });
        problems.extend(too_small);
    }
}

/// All regions that tasks touch, by file.
struct Touched {
    /// Resolved paths.
    paths: Vec<PathBuf>,
    numbers: HashMap<PathBuf, usize>,
    writes: Vec<Vec<(TaskIx, Touch)>>,
    reads: Vec<Vec<(TaskIx, Touch)>>,
}

impl Touched {
    fn of(plan: &Plan, files: &dyn Files) -> Self {
        let mut touched =
            Self { paths: Vec::new(), numbers: HashMap::new(), writes: Vec::new(), reads: Vec::new() };
        // What tasks call a file, and the file's number: each name is resolved once.
        let mut names: HashMap<PathBuf, usize> = HashMap::new();
        let tasks = plan.tasks();
        for (layer, table) in tasks.layers().iter().zip(tasks.tables()) {
            let is_pure = |facts: crate::task::Facts| facts.bytes_read == 0 && facts.bytes_written == 0;
            if layer.task.uniform_facts().is_some_and(is_pure) {
                continue;
            }
            for task in table.tasks() {
                for touch in layer.task.touches(tasks.place_of(task)) {
                    let number = match names.get(&*touch.path) {
                        Some(&number) => number,
                        None => {
                            let number = touched.number(files.resolve(&touch.path));
                            names.insert(touch.path.to_path_buf(), number);
                            number
                        }
                    };
                    match touch.access {
                        Access::Read => touched.reads[number].push((task, touch)),
                        Access::Write => touched.writes[number].push((task, touch)),
                    }
                }
            }
        }
        touched
    }

    fn number(&mut self, path: PathBuf) -> usize {
        let next = self.paths.len();
        let number = *self.numbers.entry(path.clone()).or_insert(next);
        if number == next {
            self.paths.push(path);
            self.writes.push(Vec::new());
            self.reads.push(Vec::new());
        }
        number
    }

    /// No two tasks may write the same part.
    fn check_writers(&self, plan: &Plan, problems: &mut Vec<Problem>) {
        let layer = |task| plan.tasks().layer_of(task);
        for (path, writes) in self.paths.iter().zip(&self.writes) {
            let mut occupied = Occupied::new();
            let mut reported = Vec::new();
            for (task, touch) in writes {
                let Some(other) = occupied.add(*task, &touch.region) else { continue };
                let pair = (layer(other), layer(*task));
                if reported.contains(&pair) {
                    continue;
                }
                reported.push(pair);
                let (operation, other, path) = (plan.operation(*task), plan.operation(other), path.clone());
                problems.push(match pair.0 == pair.1 {
                    true => Problem::UnalignedWriters { operation, path },
                    false => Problem::TwoWriters { operation, other, path },
                });
            }
        }
    }

    /// What is read must be there and stay as it is.
    fn check_readers(&self, plan: &Plan, files: &dyn Files, problems: &mut Vec<Problem>) {
        for (number, path) in self.paths.iter().enumerate() {
            let met = self.writer_of_read(number).or_else(|| self.reader_of_written_folder(number));
            if let Some((reader, writer)) = met {
                let (operation, writer, path) =
                    (plan.operation(reader), plan.operation(writer), path.clone());
                problems.push(Problem::ReadAndWritten { operation, writer, path });
            } else if let Some(&(reader, _)) = self.reads[number].first()
                && !files.exists(path)
            {
                problems.push(Problem::Missing { operation: plan.operation(reader), path: path.clone() });
            }
        }
    }

    /// Two tasks of which one reads what the other writes of this file, or of a folder that it is in.
    fn writer_of_read(&self, number: usize) -> Option<(TaskIx, TaskIx)> {
        let reads = &self.reads[number];
        let mut occupied = Occupied::new();
        let folders = self.folders_of(number).flat_map(|folder| whole(&self.writes[folder]));
        for (task, touch) in self.writes[number].iter().chain(folders).filter(|_| !reads.is_empty()) {
            occupied.add(*task, &touch.region);
        }
        reads.iter().find_map(|(task, touch)| Some((*task, occupied.met(*task, &touch.region)?)))
    }

    /// Two tasks of which one writes this file and the other reads a folder that it is in.
    fn reader_of_written_folder(&self, number: usize) -> Option<(TaskIx, TaskIx)> {
        let &(writer, _) = self.writes[number].first()?;
        let mut readers = self.folders_of(number).flat_map(|folder| whole(&self.reads[folder]));
        readers.find(|(reader, _)| *reader != writer).map(|&(reader, _)| (reader, writer))
    }

    /// The folders that a file is in, as far as they are touched.
    fn folders_of(&self, number: usize) -> impl Iterator<Item = usize> + '_ {
        self.paths[number].ancestors().skip(1).filter_map(|folder| self.numbers.get(folder).copied())
    }
}

/// Those that touch all of it.
fn whole(touches: &[(TaskIx, Touch)]) -> impl Iterator<Item = &(TaskIx, Touch)> {
    touches.iter().filter(|(_, touch)| touch.region == Region::Whole)
}
