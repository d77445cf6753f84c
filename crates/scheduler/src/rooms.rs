//! Rooms in an answer: where a worker puts a chunk that nobody else reads, as soon as it has made it.
//!
//! An answer in one piece, such as an array, is the size of all its chunks together. Put together at the end it would be
//! written by one thread, out of memory that has left the caches, beside chunks that take the same memory once more. So a
//! collection may begin its answer before the run ([`Collection::begin`]), and each chunk goes to its room while it is in
//! the cache of the core that made it.
//!
//! Rooms borrow from the answer. No lifetime enters the run's own state: the workers' loops get the rooms as a parameter.
//!
//! [`Collection::begin`]: musher_graph_core::Collection::begin

use musher_graph_core::{Answer, Chunk, ChunkRef, Plan, Room, SlotIx, TaskError};

use crate::sync::{Arc, Mutex};

/// The rooms of a run, for some of the chunks that it was asked for.
#[derive(Default)]
pub struct Rooms<'a> {
    rooms: Vec<RoomOf<'a>>,
    /// How many chunks have been asked for, those without a room among them.
    n_asked: usize,
    /// For each output of the plan which room is for it alone; [`NONE`] where there is none.
    by_slot: Vec<u32>,
    /// Bytes of the answers, which are the run's from the beginning.
    nbytes: u64,
}

/// A room, and which of the chunks asked for goes there.
struct RoomOf<'a> {
    asked: usize,
    /// None once the chunk is there.
    room: Mutex<Option<Box<dyn Room + 'a>>>,
}

const NONE: u32 = u32::MAX;

impl std::fmt::Debug for Rooms<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rooms").field("n_rooms", &self.rooms.len()).finish_non_exhaustive()
    }
}

impl<'a> Rooms<'a> {
    /// The next so many chunks that are asked for go to the rooms of an answer, if there is one.
    pub(crate) fn add<T>(&mut self, n_chunks: usize, answer: Option<&'a mut (dyn Answer<T> + 'static)>) {
        if let Some(answer) = answer {
            self.nbytes += answer.nbytes();
            let rooms = answer.rooms().into_iter().zip(self.n_asked..);
            self.rooms.extend(rooms.map(|(room, asked)| RoomOf { asked, room: Mutex::new(Some(room)) }));
        }
        self.n_asked += n_chunks;
    }

    /// Bytes of the answers.
    pub(crate) fn answer_bytes(&self) -> u64 {
        self.nbytes
    }

    /// Opens the rooms of those outputs of the plan that are asked for once, and read by nobody else.
    pub(crate) fn open(&mut self, plan: &Plan) {
        let tasks = plan.tasks();
        let uses = tasks.uses();
        self.by_slot = vec![NONE; tasks.n_slots()];
        for (index, room) in self.rooms.iter().enumerate() {
            let slot = tasks.requested()[room.asked];
            if uses[slot.index()] == 1 {
                self.by_slot[slot.index()] = index as u32;
            }
        }
    }

    /// Bytes of the answers that the run fills; 0 where it fills none.
    pub(crate) fn open_bytes(&self) -> u64 {
        if self.by_slot.is_empty() { 0 } else { self.nbytes }
    }

    /// Whether an output goes to a room.
    pub(crate) fn is_for(&self, slot: SlotIx) -> bool {
        self.by_slot.get(slot.index()).is_some_and(|&index| index != NONE)
    }

    /// Puts a chunk into its room; what stands for it from now on.
    pub(crate) fn deliver(&self, slot: SlotIx, chunk: ChunkRef) -> Result<ChunkRef, TaskError> {
        let room = self.rooms[self.by_slot[slot.index()] as usize].room.lock().take();
        match room {
            Some(mut room) => room.put(chunk).map(|()| Arc::new(Delivered) as ChunkRef),
            None => Ok(chunk),
        }
    }

    /// Puts the chunks into their rooms that are not there yet: they are read by others, too, or another plan made them.
    pub(crate) fn put_rest(self, chunks: &[ChunkRef]) -> Result<(), TaskError> {
        for RoomOf { asked, room } in self.rooms {
            if let Some(room) = room.lock().as_mut() {
                room.put(Arc::clone(&chunks[asked]))?;
            }
        }
        Ok(())
    }
}

/// Stands for a chunk that is in its room.
struct Delivered;

impl Chunk for Delivered {
    fn nbytes(&self) -> Option<usize> {
        Some(0)
    }
}
