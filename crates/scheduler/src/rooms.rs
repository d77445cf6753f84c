//! Rooms in an answer: where a worker puts a chunk that nobody else reads, as soon as it has made it.
//!
//! An answer in one piece, such as an array, is the size of all its chunks together. Put together at the end it would be
//! written by one thread, out of memory that has left the caches, beside chunks that take the same memory once more. So a
//! collection may begin its answer before the run ([`Collection::begin`]), and each chunk goes to its room while it is in
//! the cache of the core that made it. The run has the memory limit less the answer then; where its plan does not fit below
//! that, no answer is begun.
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
        let rooms = answer.and_then(|answer| answer.rooms()).into_iter().flatten().zip(self.n_asked..);
        self.rooms.extend(rooms.map(|(room, asked)| RoomOf { asked, room: Mutex::new(Some(room)) }));
        self.n_asked += n_chunks;
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

    /// Whether any output may go to a room.
    pub(crate) fn are_open(&self) -> bool {
        !self.by_slot.is_empty()
    }

    /// Whether an output goes to a room.
    pub(crate) fn is_for(&self, slot: SlotIx) -> bool {
        self.by_slot.get(slot.index()).is_some_and(|&index| index != NONE)
    }

    /// Puts a chunk into its room; what stands for it from now on.
    pub(crate) fn deliver(&self, slot: SlotIx, chunk: ChunkRef) -> Result<ChunkRef, TaskError> {
        let own = &self.rooms[self.by_slot[slot.index()] as usize].room;
        let Some(mut room) = own.lock().take() else { return Ok(chunk) };
        match room.put(chunk) {
            Ok(()) => Ok(Arc::new(Delivered)),
            Err(error) => {
                // A task that is run again finds its room empty.
                *own.lock() = Some(room);
                Err(error)
            }
        }
    }

    /// Puts the chunks into their rooms that are not there yet: they are read by others, too, or another plan made them.
    pub(crate) fn put_rest(self, chunks: &mut [ChunkRef]) -> Result<(), TaskError> {
        let delivered: ChunkRef = Arc::new(Delivered);
        for RoomOf { asked, room } in self.rooms {
            if let Some(mut room) = room.lock().take() {
                // Each is dropped as soon as it is copied.
                room.put(std::mem::replace(&mut chunks[asked], Arc::clone(&delivered)))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use musher_graph_core::{Collection, Graph, delayed};

    /// Takes what is not the first chunk that it is given.
    struct Choosy<'a> {
        has_refused: bool,
        place: &'a mut Option<u64>,
    }

    impl Room for Choosy<'_> {
        fn put(&mut self, chunk: ChunkRef) -> Result<(), TaskError> {
            if !std::mem::replace(&mut self.has_refused, true) {
                return Err(TaskError::new(std::fmt::Error));
            }
            *self.place = chunk.nbytes().map(|bytes| bytes as u64);
            Ok(())
        }
    }

    struct Place(Option<u64>);

    impl Answer<u64> for Place {
        fn nbytes(&self) -> u64 {
            8
        }

        fn rooms(&mut self) -> Option<Vec<Box<dyn Room + '_>>> {
            Some(vec![Box::new(Choosy { has_refused: false, place: &mut self.0 })])
        }

        fn finish(self: Box<Self>) -> Option<u64> {
            self.0
        }
    }

    #[test]
    fn a_room_that_refuses_a_chunk_is_there_for_the_next() {
        let one = delayed(|| 1_u64).call(());
        let plan = Plan::new(Graph::collect(&[one.request()]).unwrap()).unwrap();
        let chunk = || Arc::new(musher_graph_core::Value(7_u64)) as ChunkRef;
        let slot = plan.tasks().requested()[0];
        let mut answer = Place(None);
        let mut rooms = Rooms::default();
        rooms.add::<u64>(1, Some(&mut answer));
        assert!(!rooms.is_for(slot), "closed rooms take nothing");
        rooms.open(&plan);
        assert!(rooms.is_for(slot));
        assert!(rooms.deliver(slot, chunk()).is_err());
        assert_eq!(rooms.deliver(slot, chunk()).unwrap().nbytes(), Some(0));
        let mut chunks = vec![chunk()];
        rooms.put_rest(&mut chunks).unwrap();
        assert_eq!(Box::new(answer).finish(), Some(8));
    }

    #[test]
    fn what_was_not_delivered_is_put_in_at_the_end() {
        let mut answer = Place(None);
        let mut rooms = Rooms::default();
        rooms.add::<u64>(1, Some(&mut answer));
        let mut chunks = vec![Arc::new(musher_graph_core::Value(7_u64)) as ChunkRef];
        assert!(rooms.put_rest(&mut chunks).is_err(), "an error of a room is one of the run");
        assert_eq!(chunks[0].nbytes(), Some(0), "the chunk is dropped as soon as it is copied");
    }
}
