//! The edges of the lowered graph.

use smallvec::SmallVec;

use super::LayerTable;
use crate::error::Error;
use crate::graph::{GraphInput, GraphLayer};
use crate::lower::{SlotIx, TaskGraph};
use crate::watch::Watch;
use crate::wiring::Wiring;

impl TaskGraph {
    /// Writes the edges of all tasks.
    pub(super) fn wire(&mut self, watch: Watch<'_>) -> Result<(), Error> {
        for own in 0..self.layers.len() {
            watch.look_at(own)?;
            let layer = &self.layers[own];
            let is_parts = layer.inputs.iter().any(|input| matches!(input.wiring, Wiring::Part(_)));
            if is_parts {
                wire_parts(own, &self.layers, &self.tables, &mut self.inputs, &mut self.input_ends)?;
                self.tables[own].n_slots = 1;
                continue;
            }
            self.tables[own].n_slots = layer.inputs.len() as u32;
            if !self.wire_in_a_row(own)? {
                self.tables[own].slot_ends = self.wire_each(own)?;
            }
        }
        Ok(())
    }

    /// Writes the edges of a layer whose edges are there already but for the numbering; tells whether it is one.
    fn wire_in_a_row(&mut self, own: usize) -> Result<bool, Error> {
        let layer = &self.layers[own];
        let n_tasks = self.tables[own].n_tasks;
        let reads = |input| Reads { own, input, layers: &self.layers, tables: &self.tables };
        // What reads every place of plain producers reads slots by the places' own numbers.
        let is_whole = layer.inputs.iter().all(|input| reads(input).is_whole());
        if self.tables[own].places.is_some() || !is_whole {
            return Ok(false);
        }
        let first_slot = |input: &GraphInput| self.tables[input.producer.index()].first_slot;
        if let [input] = layer.inputs.as_slice()
            && let Wiring::Explicit(lists) = &input.wiring
        {
            let n_read = reads(input).producer().grid.n_tasks();
            if lists.producers.iter().any(|&index| index as usize >= n_read) {
                return Ok(false);
            }
            end(self.inputs.len() + lists.producers.len())?;
            let (edges_before, first) = (self.inputs.len() as u32, first_slot(input));
            self.inputs.extend(lists.producers.iter().map(|&index| SlotIx(first + index)));
            self.input_ends.extend(lists.ends.iter().map(|&end| edges_before + end));
            return Ok(true);
        }
        if !layer.inputs.iter().all(|input| reads(input).is_one_to_one()) {
            return Ok(false);
        }
        end(self.inputs.len() + layer.inputs.len() * n_tasks as usize)?;
        let firsts: SmallVec<[u32; 4]> = layer.inputs.iter().map(first_slot).collect();
        for rank in 0..n_tasks {
            self.inputs.extend(firsts.iter().map(|first| SlotIx(first + rank)));
            self.input_ends.push(self.inputs.len() as u32);
        }
        Ok(true)
    }

    /// Writes the edges of a layer task by task, and returns where the slots of each end, if that must be told.
    fn wire_each(&mut self, own: usize) -> Result<Box<[u32]>, Error> {
        let layer = &self.layers[own];
        let is_told = layer.inputs.len() > 1 && !layer.inputs.iter().all(|input| input.wiring.is_axis_map());
        let table = &self.tables[own];
        let n_told = if is_told { table.n_tasks as usize * layer.inputs.len() } else { 0 };
        let mut slot_ends = Vec::with_capacity(n_told);
        for rank in 0..table.n_tasks {
            let at = layer.grid.place(table.place_of(rank));
            let start = self.inputs.len();
            for input in &layer.inputs {
                let reads = Reads { own, input, layers: &self.layers, tables: &self.tables };
                let mut outside = None;
                input.wiring.for_each_producer(at, &reads.producer().grid, |index| {
                    match reads.slot(index as usize) {
                        Some(slot) => self.inputs.push(slot),
                        None => outside = Some(index as usize),
                    }
                });
                if let Some(index) = outside {
                    return Err(reads.outside(index));
                }
                if is_told {
                    slot_ends.push((self.inputs.len() - start) as u32);
                }
            }
            self.input_ends.push(end(self.inputs.len())?);
        }
        Ok(slot_ends.into())
    }
}

/// The reading of one input of a layer.
struct Reads<'a> {
    own: usize,
    input: &'a GraphInput,
    layers: &'a [GraphLayer],
    tables: &'a [LayerTable],
}

impl<'a> Reads<'a> {
    fn producer(&self) -> &'a GraphLayer {
        &self.layers[self.input.producer.index()]
    }

    /// Whether the producer's slots are numbered like its places.
    fn is_whole(&self) -> bool {
        let table = &self.tables[self.input.producer.index()];
        table.places.is_none() && table.n_outputs == 1
    }

    /// Whether each task reads the task at its own place of an equal grid.
    fn is_one_to_one(&self) -> bool {
        self.producer().grid == self.layers[self.own].grid && self.input.wiring.is_one_to_one()
    }

    fn slot(&self, index: usize) -> Option<SlotIx> {
        let table = &self.tables[self.input.producer.index()];
        let task = table.task_at(index)?;
        Some(SlotIx(
            table.first_slot + (task - table.first_task) * table.n_outputs + self.input.output as u32,
        ))
    }

    fn outside(&self, index: usize) -> Error {
        outside(&self.layers[self.own], self.producer(), index)
    }
}

pub(super) fn outside(consumer: &GraphLayer, producer: &GraphLayer, index: usize) -> Error {
    Error::ReadsOutside {
        consumer: consumer.task.label().into_owned(),
        caller: consumer.caller,
        producer: producer.task.label().into_owned(),
        index,
        n_tasks: producer.grid.n_tasks(),
    }
}

/// Where a row of edges ends.
fn end(n_edges: usize) -> Result<u32, Error> {
    u32::try_from(n_edges).map_err(|_| Error::TooManyEdges { n_edges })
}

/// Writes the edges of a layer whose inputs are parts: box by box, then sorted by task.
fn wire_parts(
    own: usize,
    layers: &[GraphLayer],
    tables: &[LayerTable],
    inputs: &mut Vec<SlotIx>,
    ends: &mut Vec<u32>,
) -> Result<(), Error> {
    let (layer, table) = (&layers[own], &tables[own]);
    let mut edges: Vec<(u32, SlotIx)> = Vec::new();
    for input in &layer.inputs {
        let Wiring::Part(part) = &input.wiring else { continue };
        let reads = Reads { own, input, layers, tables };
        for (index, at) in part.places(&layer.grid) {
            let Some(task) = table.task_at(index) else { continue };
            let mut missing = None;
            part.wiring.for_each_plain(at, &reads.producer().grid, &mut |index| match reads
                .slot(index as usize)
            {
                Some(slot) => edges.push((task, slot)),
                None => missing = Some(index as usize),
            });
            if let Some(index) = missing {
                return Err(reads.outside(index));
            }
        }
    }
    // Stable: the inputs of one task stay in the order of the producers.
    edges.sort_by_key(|&(task, _)| task);
    let mut edges = edges.into_iter().peekable();
    for task in table.first_task..table.first_task + table.n_tasks {
        while let Some((_, slot)) = edges.next_if(|&(of, _)| of == task) {
            inputs.push(slot);
        }
        ends.push(end(inputs.len())?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_edges_than_can_be_numbered_are_an_error() {
        let most = u32::MAX as usize;
        assert!(matches!(end(most), Ok(u32::MAX)));
        let error = end(most + 1).unwrap_err().to_string();
        assert_eq!(
            error,
            "4294967296 edges between tasks are more than one graph can number (4294967295); use larger chunks"
        );
    }
}
