//! Steps done twice, at once, elsewhere, in vain.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Barrier;
use std::thread;

use musher_graph_core::{Chunk, Record};
use musher_testkit::{Child, Doomed};
use xxhash_rust::xxh3::xxh3_128;

use super::super::disk;
use super::super::journal::{self, Journal};
use super::super::{Receipt, SinkError, Stage, Target, abandon, open, refuse_foreign};
use super::{BYTES, PARTS, WAYS, Way, content, name, names};

fn receipts(way: Way, stage: &Stage, generation: u64) -> Vec<Receipt> {
    (0..PARTS).map(|part| way.write(stage, generation, part).unwrap()).collect()
}

#[test]
fn every_step_may_be_done_twice() {
    for way in WAYS {
        let folder = tempfile::tempdir().unwrap();
        for generation in [1, 2] {
            let stage = way.open(folder.path());
            let first = receipts(way, &stage, generation);
            assert_eq!(receipts(way, &stage, generation), first, "{way:?}");
            assert!(first.iter().all(|receipt| receipt.bytes == BYTES as u64 && receipt.rows == 1));
            assert_eq!(first[3].checksum, xxh3_128(&content(generation, 3)));
            for _ in 0..2 {
                assert_eq!(way.commit(&stage, &first).unwrap(), way.bytes());
                // Also a part that comes when all is done gets its receipt, and changes nothing.
                assert_eq!(receipts(way, &stage, generation), first, "{way:?}");
                assert_eq!(way.found(folder.path()), [generation].into());
                assert!(way.litter(folder.path()).is_empty(), "{:?}", way.litter(folder.path()));
            }
        }
    }
}

#[test]
fn steps_may_be_done_at_once() {
    for way in WAYS {
        let folder = tempfile::tempdir().unwrap();
        for generation in 0..8 {
            let (stage, barrier) = (way.open(folder.path()), Barrier::new(4));
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        let receipts = receipts(way, &stage, generation);
                        barrier.wait();
                        assert_eq!(way.commit(&stage, &receipts).unwrap(), way.bytes(), "{way:?}");
                    });
                }
            });
            assert_eq!(way.found(folder.path()), [generation].into());
            assert!(way.litter(folder.path()).is_empty(), "{:?}", way.litter(folder.path()));
        }
    }
}

const WRITER: Child = Child::new("sink::tests::steps::child_that_writes");

/// Does nothing unless it is a child of the next test.
#[test]
fn child_that_writes() {
    WRITER.answer(|orders| {
        let (way, stage): (Way, Stage) = serde_json::from_str(orders).unwrap();
        let receipts = receipts(way, &stage, 7);
        way.commit(&stage, &receipts).unwrap();
        serde_json::to_string(&receipts).unwrap()
    });
}

#[test]
fn two_processes_write_into_one_stage() {
    for way in WAYS {
        let folder = tempfile::tempdir().unwrap();
        way.run(folder.path(), 6);
        let stage = way.open(folder.path());
        let orders = serde_json::to_string(&(way, &stage)).unwrap();
        let answers: Vec<String> = thread::scope(|scope| {
            let children = [0; 2].map(|_| scope.spawn(|| WRITER.ask(&orders).unwrap()));
            children.map(|child| child.join().unwrap()).into()
        });
        let receipts = receipts(way, &stage, 7);
        assert!(answers.iter().all(|answer| *answer == serde_json::to_string(&receipts).unwrap()));
        assert_eq!(way.commit(&stage, &receipts).unwrap(), way.bytes(), "{way:?}");
        assert_eq!(way.found(folder.path()), [7].into());
        abandon(stage.run);
        assert!(way.litter(folder.path()).is_empty(), "{:?}", way.litter(folder.path()));
    }
}

#[test]
fn the_second_run_writes_again() {
    for way in WAYS {
        let folder = tempfile::tempdir().unwrap();
        let (first, _) = way.run(folder.path(), 3);
        for name in names(folder.path()) {
            let path = folder.path().join(name);
            if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
        }
        let (second, _) = way.run(folder.path(), 3);
        assert_ne!(first.folder, second.folder);
        assert_eq!(way.found(folder.path()), [3].into());
    }
}

#[test]
fn parts_that_are_not_as_their_receipts_say_are_refused() {
    for way in WAYS {
        let folder = tempfile::tempdir().unwrap();
        way.run(folder.path(), 1);
        let stage = way.open(folder.path());
        let mut receipts = receipts(way, &stage, 2);
        if way == Way::Offsets {
            receipts.pop();
        } else {
            fs::remove_file(stage.folder.join("parts").join(name(4))).unwrap();
        }
        let error = way.commit(&stage, &receipts).unwrap_err();
        match way {
            Way::Offsets => assert!(matches!(error, SinkError::Length { .. }), "{error}"),
            _ => assert!(matches!(&error, SinkError::Missing { name, .. } if name == "part-4"), "{error}"),
        }
        let short = if way == Way::Offsets { "data" } else { "parts/part-4" };
        fs::write(stage.folder.join(short), "short").unwrap();
        let error = way.commit(&stage, &receipts).unwrap_err();
        assert!(matches!(error, SinkError::Length { found: 5, .. }), "{error}");
        assert_eq!(way.found(folder.path()), [1].into(), "the old stays");
        abandon(stage.run);
        let error = way.commit(&stage, &receipts).unwrap_err();
        assert!(matches!(error, SinkError::Gone { .. }), "{error}");
        let error = way.write(&stage, 2, 0).unwrap_err();
        assert!(matches!(error, SinkError::Gone { .. }), "{error}");
        assert_eq!(way.found(folder.path()), [1].into());
        assert!(way.litter(folder.path()).is_empty(), "{:?}", way.litter(folder.path()));
    }
}

#[test]
fn a_folder_in_the_way_of_a_file_is_not_replaced() {
    for way in [Way::Files, Way::NewFolder, Way::File, Way::Offsets] {
        let folder = tempfile::tempdir().unwrap();
        let in_the_way = match way {
            Way::Files | Way::NewFolder => way.path(folder.path()).join("part-3"),
            _ => way.path(folder.path()),
        };
        let stage = way.open(folder.path());
        let receipts = receipts(way, &stage, 1);
        fs::create_dir_all(&in_the_way).unwrap();
        fs::write(in_the_way.join("thesis"), "years of work").unwrap();
        way.commit(&stage, &receipts).unwrap_err();
        abandon(stage.run);
        assert_eq!(fs::read(in_the_way.join("thesis")).unwrap(), b"years of work");
        assert_eq!(names(folder.path()).len(), 1, "{way:?}: none of the parts has its name");
    }
    let folder = tempfile::tempdir().unwrap();
    let stage = Way::Folder.open(folder.path());
    let receipts = receipts(Way::Folder, &stage, 1);
    fs::write(folder.path().join("target"), "years of work").unwrap();
    let error = stage.commit(&receipts).unwrap_err();
    assert!(matches!(error, SinkError::Foreign { .. }), "{error}");
    assert_eq!(fs::read(folder.path().join("target")).unwrap(), b"years of work");
    abandon(stage.run);
}

#[test]
fn folders_of_others_are_told_from_ours() {
    let folder = tempfile::tempdir().unwrap();
    Way::Folder.run(folder.path(), 1);
    let target = folder.path().join("target");
    let check = || refuse_foreign(&target, |name| name.starts_with("part-"));
    check().unwrap();
    fs::write(target.join("thesis"), "years of work").unwrap();
    let error = check().unwrap_err();
    assert!(matches!(&error, SinkError::Foreign { found, .. } if found == "thesis"), "{error}");
    refuse_foreign(&folder.path().join("nothing"), |_| false).unwrap();
    let error = refuse_foreign(&target.join("thesis"), |_| true).unwrap_err();
    assert!(matches!(error, SinkError::Io { action: "list", .. }), "{error}");
}

#[test]
fn files_of_others_stay_beside_named_ones() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis"), "years of work").unwrap();
    Way::Files.run(folder.path(), 1);
    assert_eq!(Way::Files.litter(folder.path()), ["thesis"]);
    // Two for which the folder is new.
    let both = [1, 2].map(|part| {
        let stage = open(&Target::new_folder(folder.path().join("new")), 100 + part).unwrap();
        let receipt = Way::NewFolder.write(&stage, 1, u64::try_from(part).unwrap()).unwrap();
        (stage, receipt)
    });
    for (stage, receipt) in both {
        stage.commit(std::slice::from_ref(&receipt)).unwrap();
        stage.commit(&[receipt]).unwrap();
    }
    assert_eq!(names(&folder.path().join("new")), ["part-1", "part-2"]);
}

#[test]
fn what_a_part_writes_out_of_order_is_read_again_for_its_checksum() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Way::Folder.open(folder.path());
    let receipt = stage.write_part("part", |file| {
        let mut write = || {
            file.write_all(b"????body")?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(b"head")
        };
        write().map_err(|error| stage.failed("write", error))?;
        Ok::<_, SinkError>(0)
    });
    let receipt = receipt.unwrap();
    assert_eq!((receipt.bytes, receipt.checksum), (8, xxh3_128(b"headbody")));
    // One that fails, or panics, leaves nothing.
    stage
        .write_part("bad", |_| Err::<u64, _>(stage.failed("write", std::io::ErrorKind::Other.into())))
        .unwrap_err();
    let panicked = std::panic::catch_unwind(|| {
        stage.write_part("worse", |_| -> Result<u64, SinkError> { panic!("as it should") })
    });
    assert!(panicked.is_err());
    assert_eq!(names(&stage.folder.join("parts")), ["part"]);
    assert_eq!(names(&stage.folder), ["lock", "parts"]);
    for name in ["../part", "a/../b", "a/..", "a//b", "a/", "", ".", "/part"] {
        stage.write_part(name, |_| Ok::<_, SinkError>(0)).unwrap_err();
    }
    abandon(stage.run);
}

#[test]
fn stages_and_receipts_travel() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("a rather long name ".repeat(13));
    fs::create_dir(&folder).unwrap();
    let target = folder.join("x".repeat(255));
    let stage = open(&Target::folder(&target), 1).unwrap();
    let receipt = Way::Folder.write(&stage, 1, 2).unwrap();
    let (stage, receipt) = (Record(stage), Record(receipt));
    let again = |chunk: &dyn Chunk| {
        let (codec, mut bytes) = (chunk.codec().unwrap(), Vec::new());
        codec.encode(chunk, &mut bytes).unwrap();
        codec.decode(&mut bytes.as_slice()).unwrap()
    };
    let (stage_again, receipt_again) = (again(&stage), again(&receipt));
    let stage_again = &stage_again.downcast_ref::<Record<Stage>>().unwrap().0;
    assert_eq!(*stage_again, stage.0);
    assert_eq!(receipt_again.downcast_ref::<Record<Receipt>>().unwrap().0, receipt.0);
    stage_again.commit(std::slice::from_ref(&receipt.0)).unwrap();
    assert_eq!(names(&folder).len(), 1);
    let hostile = Receipt { name: "../../x".to_owned(), ..receipt.0.clone() };
    let (codec, mut bytes) = (receipt.codec().unwrap(), Vec::new());
    codec.encode(&Record(hostile), &mut bytes).unwrap();
    assert!(codec.decode(&mut bytes.as_slice()).is_err());
}

#[cfg(unix)]
#[test]
fn paths_need_not_be_text() {
    use std::os::unix::ffi::OsStringExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(std::ffi::OsString::from_vec(b"not \xff text".to_vec()));
    for target in [Target::folder(&path), Target::new_folder(&path)] {
        let stage = open(&target, 1).unwrap();
        let (chunk, mut bytes) = (Record(stage), Vec::new());
        let codec = chunk.codec().unwrap();
        codec.encode(&chunk, &mut bytes).unwrap();
        let stage = codec.decode(&mut bytes.as_slice()).unwrap();
        let stage = Stage { exchanges: false, ..stage.downcast_ref::<Record<Stage>>().unwrap().0.clone() };
        let receipt = Way::Folder.write(&stage, 1, 0).unwrap();
        stage.commit(&[receipt]).unwrap();
        assert_eq!(names(&path), ["part-0"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn places_where_nothing_can_be_written_are_named() {
    for path in ["/no/such/folder/target", "/"] {
        let offsets = Target::offsets(path, Vec::new(), 8);
        for target in [Target::folder(path), Target::new_folder(path), Target::file(path), offsets] {
            let error = open(&target, 1).unwrap_err();
            assert!(matches!(&error, SinkError::Io { .. }) && error.to_string().contains(path), "{error}");
        }
    }
    // Whose folder is a file system of its own.
    let mounted = Path::new("/dev/shm");
    if disk::is_mounted(mounted) {
        // Only the system's owner gets as far as that; all others cannot write beside it.
        let error = open(&Target::folder(mounted), 1).unwrap_err();
        assert!(matches!(error, SinkError::NoRename { .. } | SinkError::Io { .. }), "{error}");
        assert_eq!(error.path(), mounted);
    }
    let error = open(&Target::files("/no/such/folder"), 1).unwrap_err();
    assert!(error.to_string().contains("/no/such/folder"), "{error}");
}

#[cfg(unix)]
const MASKED: Child = Child::new("sink::tests::steps::child_with_a_mask");

/// Does nothing unless it is the child of the next test.
#[cfg(unix)]
#[test]
fn child_with_a_mask() {
    use std::os::unix::fs::PermissionsExt;
    MASKED.answer(|folder| {
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o027));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        for way in WAYS {
            let folder = Path::new(folder).join(format!("{way:?}"));
            fs::create_dir(&folder).unwrap();
            way.run(&folder, 1);
            way.run(&folder, 2);
            let path = way.path(&folder);
            assert_eq!(mode(&path), if path.is_dir() { 0o750 } else { 0o640 }, "{way:?}");
            if path.is_dir() {
                assert_eq!(mode(&path.join("part-1")), 0o640, "{way:?}");
            }
        }
        let path = Path::new(folder).join("single");
        crate::AtomicFile::create(&path).unwrap().commit().unwrap();
        assert_eq!(mode(&path), 0o640);
        "as masked".to_owned()
    });
}

#[cfg(unix)]
#[test]
fn permissions_are_those_that_the_process_gives() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(MASKED.ask(folder.path().to_str().unwrap()).as_deref(), Ok("as masked"));
}

/// Does nothing unless it is the child of the next test.
#[test]
fn child_between_two_renames() {
    let Some(folder) = Doomed::folder() else { return };
    let stage = Way::TwoRenames.open(&folder);
    receipts(Way::TwoRenames, &stage, 2);
    Journal::Replace { target: "target".into() }.write(&stage.folder).unwrap();
    journal::set_aside(&stage.folder, &folder.join("target")).unwrap();
    Doomed::stand_still();
}

#[test]
fn who_comes_after_a_kill_between_two_renames_does_the_second() {
    for is_taken in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        Way::TwoRenames.run(folder.path(), 1);
        let child = Doomed::start("sink::tests::steps::child_between_two_renames", folder.path());
        assert!(!target.exists());
        // While it lives it is left alone.
        abandon(Way::Folder.open(folder.path()).run);
        assert!(!target.exists());
        child.kill();
        if is_taken {
            fs::create_dir(&target).unwrap();
            fs::write(target.join("thesis"), "years of work").unwrap();
        }
        // Whatever is written there next.
        abandon(Way::Files.open(folder.path()).run);
        assert_eq!(names(folder.path()), ["target"], "nothing is left");
        match is_taken {
            true => assert_eq!(names(&target), ["thesis"], "what somebody put there meanwhile stays"),
            false => assert_eq!(Way::TwoRenames.found(folder.path()), [2].into()),
        }
    }
}

#[test]
fn parts_go_into_folders_in_the_target() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x");
    let found = |name: &str| fs::read_to_string(path.join(name)).ok();
    for (generation, target) in
        [Target::new_folder(&path), Target::folder(&path), Target::files(&path), Target::files(&path)]
            .into_iter()
            .enumerate()
    {
        let stage = open(&target, 7).unwrap();
        let write = |name: &str| {
            stage.write_part(name, |file| {
                write!(file, "{generation}").unwrap();
                Ok::<_, SinkError>(1)
            })
        };
        for name in ["", "/a", "a/", "a//b", "a/../b", "../b", "./a", "."] {
            assert!(matches!(write(name), Err(SinkError::Io { action: "create", .. })), "{name:?}");
        }
        let last = format!("c/{generation}/1");
        let receipts: Vec<Receipt> = ["a", "c/0/0", "c/0/1", &last].map(|name| write(name).unwrap()).into();
        for _ in 0..2 {
            stage.commit(&receipts).unwrap();
            assert_eq!(write("c/0/1").unwrap(), receipts[2], "also late");
            assert_eq!(
                receipts.iter().filter_map(|part| found(&part.name)).collect::<String>(),
                generation.to_string().repeat(4)
            );
        }
        assert_eq!(found("c/0/1"), Some(generation.to_string()));
        abandon(7);
    }
    assert_eq!(found("c/2/1").as_deref(), Some("2"), "what is around files that are replaced stays");
    assert_eq!(found("c/1/1").as_deref(), Some("1"));
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    assert_eq!(names(&path), ["a", "c"]);
}
