//! The functions of a hand-made graph, each type in a table of its own.
//!
//! A box for each function costs an allocation when it is added and another visit when it is dropped, half of what
//! building costs. But a program has few closure types and adds many of each: a table of one type holds what they
//! capture, in a row.

use std::any::{Any, TypeId};
use std::collections::HashMap;

use super::Values;

/// Functions of any types, numbered in the order in which they were added.
pub(super) struct Functions<T> {
    n: usize,
    tables: Vec<Box<dyn Table<T>>>,
    /// The table of each type.
    of_type: HashMap<TypeId, u32>,
    /// The table that the last function went to.
    last: Option<(TypeId, u32)>,
    /// Table and row of each function; empty while there is one table, whose rows are the numbers.
    rows: Vec<(u32, u32)>,
}

impl<T> Default for Functions<T> {
    fn default() -> Self {
        Self { n: 0, tables: Vec::new(), of_type: HashMap::new(), last: None, rows: Vec::new() }
    }
}

impl<T> Functions<T> {
    pub(super) fn len(&self) -> usize {
        self.n
    }

    pub(super) fn is_empty(&self) -> bool {
        self.n == 0
    }
}

impl<T: 'static> Functions<T> {
    /// Adds a function, of which there are fewer than `u32::MAX`.
    pub(super) fn push<F>(&mut self, function: F)
    where
        F: Fn(Values<'_, '_, T>) -> T + Send + Sync + 'static,
    {
        let at = match self.last {
            Some((id, at)) if id == TypeId::of::<F>() => at,
            _ => self.table::<F>(),
        };
        let several = self.tables.len() > 1;
        let table: &mut dyn Any = &mut *self.tables[at as usize];
        let table: &mut Vec<F> = table.downcast_mut().expect("a table is found by the type of its functions");
        if several {
            self.rows.push((at, table.len() as u32));
        }
        table.push(function);
        self.n += 1;
    }

    /// The table of a type, a new one if there is none.
    fn table<F>(&mut self) -> u32
    where
        F: Fn(Values<'_, '_, T>) -> T + Send + Sync + 'static,
    {
        let id = TypeId::of::<F>();
        let at = *self.of_type.entry(id).or_insert_with(|| {
            self.tables.push(Box::new(Vec::<F>::new()));
            self.tables.len() as u32 - 1
        });
        if at == 1 && self.rows.is_empty() {
            self.rows.extend((0..self.n as u32).map(|row| (0, row)));
        }
        self.last = Some((id, at));
        at
    }

    /// Calls the function with this number.
    pub(super) fn call(&self, index: usize, values: Values<'_, '_, T>) -> T {
        match self.tables.as_slice() {
            [only] => only.call(index, values),
            tables => {
                let (table, row) = self.rows[index];
                tables[table as usize].call(row as usize, values)
            }
        }
    }
}

/// Functions of one type.
trait Table<T>: Any + Send + Sync {
    fn call(&self, row: usize, values: Values<'_, '_, T>) -> T;
}

impl<T, F> Table<T> for Vec<F>
where
    T: 'static,
    F: Fn(Values<'_, '_, T>) -> T + Send + Sync + 'static,
{
    fn call(&self, row: usize, values: Values<'_, '_, T>) -> T {
        self[row](values)
    }
}
