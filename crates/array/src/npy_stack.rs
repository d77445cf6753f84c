//! Stacks of `.npy` files: an array divided along one axis, a file for each block, as Dask lays them out.

use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::{Chunking, Chunks};
use crate::element::{Element, Plain};
use crate::error::{Error, Shape};
use crate::kernel::npy::{NpyError, NpyHeader, SLAB_BYTES, description, write_block};
use crate::npy::{NpyFile, WINDOW_BYTES};
use crate::rechunk::rechunked;
use musher_graph_core::{Delayed, Facts, FnTask, Inputs, Layer, Place, Port, Site, TaskError, Touch};
use musher_scheduler::files::find;
use musher_scheduler::sink::{self, Receipt, SinkError, Stage, Target, refuse_foreign};
use ndarray::{Axis, Dimension};
use std::io::Write;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A cost per byte that keeps the optimizer from reading a block twice.
const READ_NS_PER_BYTE: u64 = 2;
/// What Dask reads first.
const INFO: &str = "info";

/// A folder of files that is to be written.
struct StackOut<A> {
    path: PathBuf,
    chunking: Chunking,
    axis: usize,
    element: PhantomData<fn() -> A>,
}

impl<A: Element> StackOut<A> {
    fn failed(&self, source: impl Into<NpyError>) -> TaskError {
        let (path, source) = (self.path.clone(), source.into());
        TaskError::new(Error::Npy { operation: "to_npy_stack", path, source })
    }

    /// The dictionary `{"chunks": .., "dtype": .., "axis": ..}` as Python's pickle of protocol 0.
    fn info(&self) -> String {
        let tuple = |items: &mut dyn Iterator<Item = String>| format!("({}t", items.collect::<String>());
        let int = |number: usize| format!("I{number}\n");
        let axes = &mut self.chunking.axes().map(|axis| tuple(&mut axis.iter().map(|&n| int(n))));
        let (order, code) = description(A::DTYPE);
        let dtype = format!("cnumpy\ndtype\n(V{code}\nI00\nI01\ntR(I3\nV{order}\nNNNI-1\nI-1\nI0\ntb");
        format!("(dVchunks\n{}sVdtype\n{dtype}sVaxis\n{}s.", tuple(axes), int(self.axis))
    }
}

/// Whether a file is called like one of a stack.
fn is_ours(name: &str) -> bool {
    let is_number = |number: &str| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    name == INFO || name.strip_suffix(".npy").is_some_and(is_number)
}

impl<A: Element> sink::Format for StackOut<A> {
    type Written = ();

    fn labels(&self) -> [&'static str; 3] {
        ["create_npy_stack", "write_npy_stack", "commit_npy_stack"]
    }

    fn target(&self) -> Result<Target, TaskError> {
        refuse_foreign(&self.path, is_ours).map_err(|error| self.failed(error))?;
        Ok(Target::folder(&self.path))
    }

    fn write(&self, at: Place<'_>, inputs: &mut Inputs<'_>, stage: &Stage) -> Result<Receipt, TaskError> {
        let block = inputs.get::<Block<A>>(0)?.view();
        let header = NpyHeader::of::<A>(block.shape());
        let whole: Vec<_> = block.shape().iter().map(|&n| 0..n).collect();
        let receipt = stage.write_part(&format!("{}.npy", at.index()), |file| {
            file.write_all(&header.encode())?;
            write_block(file, &header, &whole, &block)?;
            Ok::<_, NpyError>(block.shape()[self.axis] as u64)
        });
        receipt.map_err(|error| self.failed(error))
    }

    fn commit(&self, stage: &Stage, receipts: &[Receipt]) -> Result<(), TaskError> {
        let info = stage.write_part(INFO, |file| {
            let written = file.write_all(self.info().as_bytes());
            written.map_err(|error| stage.failed("write", error))?;
            Ok::<_, SinkError>(0)
        });
        let receipts: Result<Vec<_>, _> = receipts.iter().cloned().map(Ok).chain([info]).collect();
        let committed = receipts.and_then(|receipts| stage.commit(&receipts));
        committed.map(drop).map_err(|error| self.failed(error))
    }

    fn facts(&self, bytes: u64) -> Facts {
        let scratch = WINDOW_BYTES + bytes.min(SLAB_BYTES as u64);
        Facts::bytes(Receipt::BYTES).scratch(scratch).written(bytes)
    }

    fn touches(&self, at: Place<'_>) -> Vec<Touch> {
        vec![Touch::write(self.path.join(format!("{}.npy", at.index())))]
    }

    fn replaces(&self) -> Vec<Touch> {
        vec![Touch::write(&self.path)]
    }
}

/// The files of a stack, in order, and how they divide the array.
struct Stack {
    files: Vec<NpyFile>,
    chunking: Chunking,
    axis: usize,
}

impl Stack {
    /// Reads the headers in a folder.
    fn open<A: Element>(path: &Path, axis: usize, ndim: Option<usize>, caller: Site) -> Result<Self, Error> {
        let operation = "read_npy_stack";
        let wrong = |path: &Path, source: NpyError| Error::Npy { operation, path: path.to_owned(), source };
        let found = find(path, &["npy"]).map_err(|error| wrong(path, error.into()))?;
        let mut files = Vec::with_capacity(found.len());
        for (number, facts) in found.iter().enumerate() {
            let path = facts.path();
            if path.file_stem().is_none_or(|stem| stem != number.to_string().as_str()) {
                let missing = path.with_file_name(format!("{number}.npy"));
                return Err(wrong(&missing, std::io::Error::from(std::io::ErrorKind::NotFound).into()));
            }
            let file = NpyFile::open(path).map_err(|source| wrong(path, source))?;
            file.header.check_element::<A>().map_err(|source| wrong(path, source))?;
            files.push(file);
        }
        let first = files.first().map_or(&[][..], |file| &file.header.shape);
        if let Some(expected) = ndim.filter(|&expected| expected != first.len()) {
            return Err(wrong(path, NpyError::Dimensions { expected, found: first.len() }));
        }
        if axis >= first.len() {
            return Err(Error::Axis { operation, axis, ndim: first.len(), caller });
        }
        for file in &files {
            let shape = &file.header.shape;
            let fits = |other: usize| other == axis || shape[other] == first[other];
            if shape.len() != first.len() || !(0..first.len()).all(fits) {
                let (left, right) = (Shape(first.to_vec()), Shape(shape.clone()));
                return Err(Error::Shapes { operation, left, right, caller });
            }
        }
        let along = |number: usize| match number == axis {
            true => files.iter().map(|file| file.header.shape[axis]).collect(),
            false => vec![first[number]],
        };
        let axes: Vec<Vec<usize>> = (0..first.len()).map(along).collect();
        Chunks::Lengths(axes.clone())
            .resolve(&axes.iter().map(|axis| axis.iter().sum()).collect::<Vec<_>>(), A::DTYPE)
            .map(|chunking| Self { files, chunking, axis })
    }

    /// The file that a block is.
    fn file(&self, at: Place<'_>) -> &NpyFile {
        &self.files[at.coords()[self.axis]]
    }
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// Writes the array as a stack of `.npy` files when the returned value is computed: `0.npy`, `1.npy`, …, one for each
    /// block along `axis`.
    ///
    /// Blocks become whole along the other axes. The folder appears under its name when it is complete, and replaces a stack
    /// that was there; a folder that holds anything else is never replaced. A file `info` beside them says what Dask wants to
    /// know.
    ///
    /// **Cost** one pass, and a rechunk where other axes are divided.
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, Ix2}};
    /// use musher_scheduler::Compute;
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("x");
    /// let x = Array::from_shape_fn((5, 4), 2, |(i, j)| (i * 4 + j) as f32);
    /// x.to_npy_stack(&path, Axis(0))?.compute()?;
    /// assert!(path.join("2.npy").exists());
    /// let again = Array::<f32, Ix2>::read_npy_stack(&path, Axis(0))?;
    /// assert_eq!(again.chunks().axis(0), [2, 2, 1]);
    /// assert_eq!(again.compute()?, x.compute()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "dask.array.to_npy_stack")]
    pub fn to_npy_stack(&self, path: impl AsRef<Path>, axis: Axis) -> Result<Delayed<()>, Error> {
        let (caller, ndim, axis) = (Site::caller(), self.ndim(), axis.0);
        if axis >= ndim {
            return Err(Error::Axis { operation: "to_npy_stack", axis, ndim, caller });
        }
        let shape = self.shape();
        let lengths = |number: usize| match number == axis {
            true => self.chunks().shared_axis(axis),
            false => [shape[number]].into(),
        };
        let chunking = Chunking::from_axes((0..ndim).map(lengths));
        let core = rechunked::<A>(self.core(), &chunking, caller);
        let path = path.as_ref().to_owned();
        let out = StackOut::<A> { path, chunking, axis, element: PhantomData };
        Ok(Delayed::from_port(sink::layers(out, &core.port, caller)))
    }

    /// The array in a folder of files `0.npy`, `1.npy`, …, one behind the other along `axis`, as
    /// [`to_npy_stack`](Self::to_npy_stack) and Dask write them.
    ///
    /// Headers are read now. A file `info`, which is Python's, is not looked at.
    ///
    /// **Shape** the files' lengths along `axis` are added; blocks are the files.
    /// **Cost** one pass, and now the header of each file.
    ///
    /// # Errors
    /// [`Error::Npy`] when there are no files, one of them is missing or damaged, or holds other elements;
    /// [`Error::Shapes`] when their other axes differ; [`Error::Axis`] when there is no such axis.
    #[track_caller]
    #[doc(alias = "dask.array.from_npy_stack")]
    pub fn read_npy_stack(path: impl AsRef<Path>, axis: Axis) -> Result<Self, Error> {
        let caller = Site::caller();
        let stack = Arc::new(Stack::open::<A>(path.as_ref(), axis.0, D::NDIM, caller)?);
        let facts: Vec<_> = stack.files.iter().map(|file| (&file.facts, file.header.data_offset)).collect();
        let identity = (facts, axis.0, &stack.chunking);
        let name = format!("array.read_npy_stack.{}/1", <A as Plain>::NAME);
        let chunking = stack.chunking.clone();
        let (read, known, touched) = (Arc::clone(&stack), Arc::clone(&stack), Arc::clone(&stack));
        let whole = |file: &NpyFile| file.header.shape.iter().map(|&n| 0..n).collect::<Vec<_>>();
        let task = FnTask::new("read_npy_stack", move |at: Place<'_>, _: &mut Inputs<'_>| {
            let file = read.file(at);
            file.read::<A>(&whole(file)).map_err(|source| {
                let path = file.facts.path().to_owned();
                TaskError::new(Error::Npy { operation: "read_npy_stack", path, source })
            })
        })
        .params(name, &identity)
        .facts(move |at, _| {
            let n: usize = known.chunking.block_shape(&at.coords()).iter().product();
            let bytes = (n * size_of::<A>()) as u64;
            let facts = Facts::bytes(bytes).read(bytes.max(1)).scratch(WINDOW_BYTES);
            facts.cost(20_000 + READ_NS_PER_BYTE * bytes)
        })
        .touches(move |at| vec![touched.file(at).touch(&whole(touched.file(at)))]);
        let layer = Layer::build(task).caller(caller).finish(chunking.grid());
        Ok(Self::from_core(Core { port: Port::of(layer), chunking }))
    }
}
