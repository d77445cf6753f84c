//! What a plan would spill under a memory limit, told before it runs.
//!
//! The plan is run in its order, one task after the other, in thought. Where the next task does not fit, chunks leave
//! memory until it does. Which ones is the [`Policy`]: a plan knows its future, so the one that is needed furthest in
//! the future goes, as far as that is worth its cost; going by the past is there to compare with.
//!
//! **Source** L. A. Belady: A study of replacement algorithms for a virtual-storage computer, IBM Systems Journal 5
//! (1966). That rule is best where all chunks have one size and one cost; with several it is a good guess.

use std::collections::BinaryHeap;
use std::fmt;

use crate::byte_size::ByteSize;
use crate::lower::{SlotIx, TaskIx};
use crate::order::Weights;
use crate::plan::Plan;

/// Which chunk leaves memory when there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// The one needed furthest in the future. Going and coming back costs one that was never written twice what it
    /// costs one that was, so it goes if it is needed twice as far away.
    #[doc(alias = "Belady")]
    Furthest,
    /// The one that was not made or read for the longest time.
    #[doc(alias = "LRU")]
    LeastRecentlyUsed,
}

/// What a plan would spill under a memory limit; see [`Plan::forecast`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forecast {
    /// The limit, which covers chunks, scratch and the plan's own tables.
    pub limit: u64,
    /// Bytes written to disk; a chunk is written once, however often it leaves memory.
    pub spilled_bytes: u64,
    /// Bytes read back.
    pub reloaded_bytes: u64,
    /// Bytes that exchanges write and read once, unless the run lets them stay in memory.
    pub staged_bytes: u64,
    /// Chunks written.
    pub n_spilled: usize,
    /// Chunks read back, each as often as it is.
    pub n_reloaded: usize,
    /// Most bytes of chunks and scratch in memory at once, without the plan's tables.
    pub peak_bytes: u64,
    /// Whether everything fits in the end: each task beside what it reads, and together what is asked for.
    pub fits: bool,
    /// The first task that does not fit even with everything else spilled.
    pub too_large: Option<TaskIx>,
}

impl Plan {
    /// What would be spilled under a memory limit if one task ran after the other.
    ///
    /// Every chunk is taken to be one that can leave memory; one of unknown size is taken to be as large as the mean
    /// of the others. What is asked for comes back in the end.
    ///
    /// **Cost** a heap entry for each edge: n log n in edges, but linear where nothing is spilled.
    ///
    /// # Examples
    /// ```
    /// use musher_graph_core::{Collection, Graph, GraphBuilder, Plan, Policy};
    /// //  0   1   2 ── 3      0 waits for the others, which need room for two
    /// //   \   \______/
    /// //    \________/
    /// let mut graph = GraphBuilder::<[u8; 1000]>::new();
    /// let first = graph.add([], |_| [0; 1000]);
    /// let others = [graph.add([], |_| [1; 1000]), graph.add([], |_| [2; 1000])];
    /// let both = graph.add(others, |inputs| inputs[0]);
    /// let last = graph.add([first, both], |inputs| inputs[0]);
    /// let plan = Plan::new(Graph::collect(&[graph.build(&[last]).request()])?)?;
    /// let tables = plan.tasks().table_bytes() as u64;
    /// assert_eq!(plan.forecast(tables + 4000, Policy::Furthest).spilled_bytes, 0);
    /// # Ok::<(), musher_graph_core::Error>(())
    /// ```
    pub fn forecast(&self, limit: u64, policy: Policy) -> Forecast {
        let room = limit.saturating_sub(self.tasks().table_bytes() as u64);
        let staged = if self.peak_bytes() > room { self.tasks().staged_bytes() } else { 0 };
        let mut forecast = Forecast {
            limit,
            spilled_bytes: 0,
            reloaded_bytes: 0,
            staged_bytes: staged,
            n_spilled: 0,
            n_reloaded: 0,
            peak_bytes: if staged > 0 { self.least_peak_bytes() } else { self.peak_bytes() },
            fits: true,
            too_large: None,
        };
        if forecast.peak_bytes > room {
            forecast.peak_bytes = 0;
            Memory::new(self, policy, room, &mut forecast).run();
            forecast.fits = forecast.peak_bytes <= room;
        }
        forecast
    }
}

impl fmt::Display for Forecast {
    /// One line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "under a memory limit of {}: ", ByteSize::from(self.limit))?;
        match self.n_spilled {
            _ if !self.fits => {
                write!(f, "does not fit, {} must be there at once", ByteSize::from(self.peak_bytes))
            }
            0 => write!(f, "nothing is spilled"),
            n => {
                let (spilled, reloaded) =
                    (ByteSize::from(self.spilled_bytes), ByteSize::from(self.reloaded_bytes));
                let chunks = if n == 1 { "chunk" } else { "chunks" };
                write!(f, "spills {spilled} in {n} {chunks}, reads {reloaded} back")
            }
        }?;
        match self.staged_bytes {
            0 => Ok(()),
            staged => write!(f, ", stages {} for exchanges", ByteSize::from(staged)),
        }
    }
}

/// The positions at which each output is read, in compressed rows; the end of the plan is one for what is asked for.
struct Readings {
    ends: Vec<u32>,
    positions: Vec<u32>,
}

impl Readings {
    fn new(plan: &Plan) -> Self {
        let tasks = plan.tasks();
        let uses = tasks.uses();
        let mut ends = Vec::with_capacity(uses.len());
        let mut end = 0;
        for n in &uses {
            ends.push(end);
            end += n;
        }
        let mut positions = vec![0; end as usize];
        let mut put = |slot: SlotIx, position: usize| {
            let at = &mut ends[slot.index()];
            positions[*at as usize] = position as u32;
            *at += 1;
        };
        for (position, task) in plan.order().iter().enumerate() {
            tasks.inputs_of(task).iter().for_each(|&slot| put(slot, position));
        }
        tasks.requested().iter().for_each(|&slot| put(slot, tasks.n_tasks()));
        Self { ends, positions }
    }

    /// The next reading when so many are left.
    fn next(&self, slot: SlotIx, left: u32) -> u32 {
        self.positions[(self.ends[slot.index()] - left) as usize]
    }
}

/// Where a chunk is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
enum Residence {
    #[default]
    Nowhere,
    Memory,
    Disk,
}

#[derive(Debug, Clone, Copy, Default)]
struct Chunk {
    residence: Residence,
    is_written: bool,
    uses: u32,
    /// What it is found by in the heap; no entry stands for a chunk that the running task needs.
    rank: Option<u32>,
}

struct Memory<'a> {
    plan: &'a Plan,
    policy: Policy,
    room: u64,
    weights: Weights,
    readings: Readings,
    chunks: Vec<Chunk>,
    /// Those in memory by rank, the next to go on top: never written ones, and written ones. Some entries are stale.
    victims: [BinaryHeap<(u32, SlotIx)>; 2],
    alive: u64,
    forecast: &'a mut Forecast,
}

impl<'a> Memory<'a> {
    fn new(plan: &'a Plan, policy: Policy, room: u64, forecast: &'a mut Forecast) -> Self {
        let chunks = plan.tasks().uses().into_iter().map(|uses| Chunk { uses, ..Chunk::default() });
        Self {
            plan,
            policy,
            room,
            weights: Weights::new(plan.tasks()),
            readings: Readings::new(plan),
            chunks: chunks.collect(),
            victims: [BinaryHeap::new(), BinaryHeap::new()],
            alive: 0,
            forecast,
        }
    }

    fn run(&mut self) {
        let tasks = self.plan.tasks();
        for (position, task) in self.plan.order().iter().enumerate() {
            let made = self.weights.outputs(tasks, task);
            let fits = self.bring(tasks.inputs_of(task), position, made + tasks.scratch_of(task));
            if !fits {
                self.forecast.too_large.get_or_insert(task);
            }
            self.alive += made;
            for slot in tasks.outputs_of(task) {
                self.chunks[slot].residence = Residence::Memory;
                self.settle(SlotIx(slot as u32), position);
            }
            for &slot in tasks.inputs_of(task) {
                self.chunks[slot.index()].uses -= 1;
            }
            for &slot in tasks.inputs_of(task) {
                self.settle(slot, position);
            }
        }
        self.bring(tasks.requested(), tasks.n_tasks(), 0);
    }

    /// Brings these chunks to memory and makes room for so many bytes beside them; tells whether all fits.
    fn bring(&mut self, needed: &[SlotIx], position: usize, beside: u64) -> bool {
        let mut reloaded = 0;
        for &slot in needed {
            let chunk = &mut self.chunks[slot.index()];
            chunk.rank = None;
            if chunk.residence == Residence::Disk {
                chunk.residence = Residence::Memory;
                reloaded += self.weights.of(self.plan.tasks(), slot);
                self.forecast.n_reloaded += 1;
            }
        }
        self.forecast.reloaded_bytes = self.forecast.reloaded_bytes.saturating_add(reloaded);
        self.alive += reloaded;
        let fits = loop {
            if self.alive + beside <= self.room {
                break true;
            }
            match self.victim(position) {
                Some(slot) => self.evict(slot),
                None => break false,
            }
        };
        self.forecast.peak_bytes = self.forecast.peak_bytes.max(self.alive + beside);
        fits
    }

    /// A chunk that was just made or read: it is gone if nobody needs it any more, else it may be a victim.
    fn settle(&mut self, slot: SlotIx, position: usize) {
        let chunk = &mut self.chunks[slot.index()];
        if chunk.residence != Residence::Memory || chunk.rank.is_some() {
            return;
        }
        if chunk.uses == 0 {
            chunk.residence = Residence::Nowhere;
            self.alive -= self.weights.of(self.plan.tasks(), slot);
            return;
        }
        let rank = match self.policy {
            Policy::Furthest => self.readings.next(slot, chunk.uses),
            Policy::LeastRecentlyUsed => u32::MAX - position as u32,
        };
        chunk.rank = Some(rank);
        self.victims[usize::from(chunk.is_written)].push((rank, slot));
    }

    /// The chunk that goes next.
    fn victim(&mut self, position: usize) -> Option<SlotIx> {
        for (heap, is_written) in self.victims.iter_mut().zip([false, true]) {
            while let Some(&(rank, slot)) = heap.peek() {
                let chunk = &self.chunks[slot.index()];
                if chunk.rank == Some(rank) && chunk.is_written == is_written {
                    break;
                }
                heap.pop();
            }
        }
        let [unwritten, written] = [0, 1].map(|heap| self.victims[heap].peek().copied());
        let first = match (unwritten, written) {
            (Some((rank, slot)), Some((other, again))) => {
                let distance = |rank: u32| u64::from(rank) - position as u64;
                let is_dearer = match self.policy {
                    Policy::Furthest => distance(rank) < 2 * distance(other),
                    Policy::LeastRecentlyUsed => rank < other,
                };
                if is_dearer { again } else { slot }
            }
            (one, other) => one.or(other)?.1,
        };
        Some(first)
    }

    fn evict(&mut self, slot: SlotIx) {
        let bytes = self.weights.of(self.plan.tasks(), slot);
        let chunk = &mut self.chunks[slot.index()];
        (chunk.residence, chunk.rank) = (Residence::Disk, None);
        self.alive -= bytes;
        if !std::mem::replace(&mut chunk.is_written, true) {
            self.forecast.spilled_bytes += bytes;
            self.forecast.n_spilled += 1;
        }
    }
}
