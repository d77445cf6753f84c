//! The spill folder: what goes out comes back or is an error; space is bounded and given back; nothing is left behind.

use std::error::Error as StdError;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use musher_graph_core::{SpillStore, Spilled, TaskError};
use musher_scheduler::{SpillCompression, SpillDir, SpillError, SpillOptions};
use musher_testkit::{Doomed, Random};

const COMPRESSIONS: [SpillCompression; 3] =
    [SpillCompression::Never, SpillCompression::Always, SpillCompression::Auto];

fn under(base: &Path) -> SpillOptions {
    SpillOptions::default().base(base)
}

/// Bytes of one of several kinds: none, few, repeated, random, long.
fn some_bytes(random: &mut Random) -> Vec<u8> {
    let length = match random.below(5) {
        0 => 0,
        1 => random.below(50),
        2 => (64 << 10) - 1 + random.below(3),
        3 => random.below(100_000),
        _ => random.below(1_500_000),
    };
    let period = [1, 7, 1000, usize::MAX][random.below(4)];
    let mut bytes: Vec<u8> = Vec::with_capacity(length);
    for i in 0..length {
        let byte = if i < period { random.bits() as u8 } else { bytes[i - period] };
        bytes.push(byte);
    }
    bytes
}

/// Writes parts, each in portions of random length.
fn spill(
    store: &dyn SpillStore,
    parts: &[Vec<u8>],
    random: &mut Random,
) -> Result<Arc<dyn Spilled>, TaskError> {
    let mut writer = store.parcel()?;
    for part in parts {
        let mut rest = part.as_slice();
        let most = [3, 1000, 70_000, 2_000_000][random.below(4)].max(part.len() / 1000);
        while !rest.is_empty() {
            let (now, later) = rest.split_at((1 + random.below(most)).min(rest.len()));
            writer.write_all(now)?;
            rest = later;
        }
        writer.end_part()?;
    }
    writer.finish()
}

fn read(parcel: &dyn Spilled, part: usize) -> Result<Vec<u8>, TaskError> {
    let mut bytes = Vec::new();
    parcel.read(part)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The spill error inside a task's error or an input/output error.
fn spill_error<'a>(error: &'a (dyn StdError + 'static)) -> &'a SpillError {
    let inside = error.downcast_ref::<std::io::Error>().and_then(|error| error.get_ref());
    match inside {
        Some(inside) => inside.downcast_ref().unwrap(),
        None => error.downcast_ref().unwrap(),
    }
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

/// The one file of a parcel in a folder.
fn only_parcel(disk: &SpillDir) -> PathBuf {
    let files = fs::read_dir(disk.path().unwrap()).unwrap().map(|file| file.unwrap().path());
    let parcels: Vec<_> =
        files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("parcel-")).collect();
    let [parcel] = parcels.as_slice() else { panic!("{parcels:?}") };
    parcel.clone()
}

#[test]
fn parts_of_any_kind_come_back_in_any_order() {
    let base = tempfile::tempdir().unwrap();
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let disk = SpillDir::new(under(base.path()).compression(COMPRESSIONS[random.below(3)]));
        let parts: Vec<_> = (0..random.below(6)).map(|_| some_bytes(&mut random)).collect();
        let parcel = spill(&disk, &parts, &mut random).unwrap();
        assert_eq!(parcel.n_parts(), parts.len());
        for (number, part) in parts.iter().enumerate().rev() {
            assert_eq!(parcel.part_bytes(number), part.len() as u64);
            assert!(read(&*parcel, number).unwrap() == *part, "seed {seed}, part {number}");
        }
        // In small portions, too.
        for (number, part) in parts.iter().enumerate() {
            let (mut reader, mut bytes) = (parcel.read(number).unwrap(), vec![0; part.len()]);
            for portion in bytes.chunks_mut(1 + random.below(100_000)) {
                reader.read_exact(portion).unwrap();
            }
            assert_eq!(reader.read(&mut [0]).unwrap(), 0);
            assert!(bytes == *part, "seed {seed}, part {number}");
        }
        assert!(matches!(
            spill_error(parcel.read(parts.len()).err().unwrap().cause()),
            SpillError::NoPart { .. }
        ));
    }
    assert!(is_empty(base.path()));
}

#[test]
fn thousands_of_small_parts_take_their_bytes_only() {
    let base = tempfile::tempdir().unwrap();
    let disk = SpillDir::new(under(base.path()));
    let parts: Vec<Vec<u8>> = (0..10_000_u32).map(|i| i.to_le_bytes().to_vec()).collect();
    let parcel = spill(&disk, &parts, &mut Random::new(1)).unwrap();
    assert_eq!((parcel.n_parts(), parcel.stored_bytes()), (10_000, 40_000));
    assert!((0..10_000).all(|part| read(&*parcel, part).unwrap() == parts[part]));
    assert_eq!((disk.counts().written, disk.counts().read, disk.counts().stored), (40_000, 40_000, 40_000));
}

#[test]
fn compression_is_used_where_it_helps() {
    let base = tempfile::tempdir().unwrap();
    let mut random = Random::new(5);
    let noise: Vec<u8> = (0..1_000_000).map(|_| random.bits() as u8).collect();
    let zeros = vec![0; 1_000_000];
    let mut stored = |compression, part: &Vec<u8>| {
        let disk = SpillDir::new(under(base.path()).compression(compression));
        let parcel = spill(&disk, std::slice::from_ref(part), &mut random).unwrap();
        assert!(read(&*parcel, 0).unwrap() == *part);
        parcel.stored_bytes()
    };
    assert_eq!(stored(SpillCompression::Never, &zeros), 1_000_000);
    assert_eq!(stored(SpillCompression::Auto, &noise), 1_000_000);
    assert_eq!(stored(SpillCompression::Always, &noise), 1_000_000 + 4 * 16, "a length before each block");
    assert!(stored(SpillCompression::Auto, &zeros) < 10_000);
    assert!(stored(SpillCompression::Always, &zeros) < 10_000);
}

#[test]
fn every_byte_that_changes_on_the_disk_is_noticed() {
    let base = tempfile::tempdir().unwrap();
    let parts = [vec![1; 5], (0..300_u32).flat_map(|i| [b'a', (i % 7) as u8, 0, 0]).collect()];
    for compression in COMPRESSIONS {
        let disk = SpillDir::new(under(base.path()).compression(compression));
        let parcel = spill(&disk, &parts, &mut Random::new(3)).unwrap();
        let path = only_parcel(&disk);
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            fs::write(&path, &bad).unwrap();
            let mut noticed = 0;
            for (number, part) in parts.iter().enumerate() {
                match read(&*parcel, number) {
                    Ok(bytes) => assert!(bytes == *part, "byte {at} of {compression:?}"),
                    Err(error) => {
                        noticed += 1;
                        let text = spill_error(error.cause()).to_string();
                        assert!(text.contains(path.to_str().unwrap()), "{text}");
                    }
                }
            }
            // A changed distance in lz4 may reach bytes that are the same.
            let harmless = compression != SpillCompression::Never && noticed == 0;
            assert!(noticed == 1 || harmless, "byte {at} of {compression:?}: {noticed} errors");
        }
        fs::write(&path, &good).unwrap();
        assert!(read(&*parcel, 1).unwrap() == parts[1]);
    }
}

#[test]
fn ten_thousand_damaged_files_give_an_error_or_what_was_written() {
    let base = tempfile::tempdir().unwrap();
    let mut random = Random::new(77);
    let (mut noticed, mut trials) = (0, 0);
    while trials < 10_000 {
        let disk = SpillDir::new(under(base.path()).compression(COMPRESSIONS[random.below(3)]));
        let alphabet = 1 + random.below(256) as u64;
        let mut part = |n: usize| -> Vec<u8> { (0..n).map(|_| (random.bits() % alphabet) as u8).collect() };
        let parts = [part(1 + trials % 700), part(3)];
        let parcel = spill(&disk, &parts, &mut random).unwrap();
        let path = only_parcel(&disk);
        let good = fs::read(&path).unwrap();
        for _ in 0..100 {
            let mut bad = good.clone();
            match random.below(4) {
                0 => bad.truncate(random.below(good.len())),
                1 => bad[random.below(good.len())] = random.bits() as u8,
                _ => bad[random.below(good.len())] ^= 1 << random.below(8),
            }
            fs::write(&path, &bad).unwrap();
            for (number, part) in parts.iter().enumerate() {
                match read(&*parcel, number) {
                    Ok(bytes) => assert!(bytes == *part, "trial {trials}: a wrong number"),
                    Err(_) => noticed += 1,
                }
            }
            trials += 1;
        }
    }
    assert!(noticed > 9000, "{noticed} of {trials}");
}

#[test]
fn a_changed_part_names_its_file_and_both_checksums() {
    let base = tempfile::tempdir().unwrap();
    let disk = SpillDir::new(under(base.path()));
    let parcel = spill(&disk, &[b"ab".to_vec()], &mut Random::new(1)).unwrap();
    fs::write(only_parcel(&disk), b"ax").unwrap();
    let error = read(&*parcel, 0).unwrap_err();
    let SpillError::Corrupt { expected, found, .. } = spill_error(error.cause()) else { panic!("{error}") };
    let text = error.to_string();
    for said in
        [format!("{expected:016x}"), format!("{found:016x}"), only_parcel(&disk).display().to_string()]
    {
        assert!(text.contains(&said), "{text}");
    }
    let mut bytes = [0; 2];
    assert!(
        parcel.read(0).unwrap().read_exact(&mut bytes).is_err(),
        "exactly the bytes, and no more, are an error"
    );
}

#[test]
fn a_file_that_was_cut_is_noticed() {
    let base = tempfile::tempdir().unwrap();
    for compression in COMPRESSIONS {
        let disk = SpillDir::new(under(base.path()).compression(compression));
        let part: Vec<u8> = (0..200_000_u32).map(|i| (i / 100) as u8).collect();
        let parcel = spill(&disk, &[part.clone(), part], &mut Random::new(1)).unwrap();
        let file = fs::File::options().write(true).open(only_parcel(&disk)).unwrap();
        file.set_len(parcel.stored_bytes() - 1).unwrap();
        assert!(read(&*parcel, 0).is_ok());
        let error = read(&*parcel, 1).unwrap_err();
        assert!(matches!(spill_error(error.cause()), SpillError::Truncated { part: 1, .. }), "{error}");
    }
}

#[test]
fn the_budget_holds_and_is_given_back() {
    let base = tempfile::tempdir().unwrap();
    let disk = SpillDir::new(under(base.path()).limit(1_000_000).compression(SpillCompression::Never));
    let mut random = Random::new(1);
    let first = spill(&disk, &[vec![1; 600_000]], &mut random).unwrap();
    let error = spill(&disk, &[vec![2; 600_000]], &mut random).unwrap_err();
    let SpillError::Limit { limit: 1_000_000, .. } = spill_error(error.cause()) else { panic!("{error}") };
    for said in ["spill_limit", "spill_dir", "memory_limit", "977 KiB", "free", base.path().to_str().unwrap()]
    {
        assert!(error.to_string().contains(said), "{said} in {error}");
    }
    assert_eq!((disk.counts().stored, disk.counts().parcels), (600_000, 1), "the attempt has left nothing");
    drop(first);
    assert_eq!(disk.counts().stored, 0);
    assert!(spill(&disk, &[vec![2; 1_000_000]], &mut random).is_ok());
}

#[test]
fn a_write_that_failed_can_be_tried_again() {
    let base = tempfile::tempdir().unwrap();
    let disk = SpillDir::new(under(base.path()).limit(1_000_000).compression(SpillCompression::Never));
    let first = spill(&disk, &[vec![1; 600_000]], &mut Random::new(1)).unwrap();
    let mut writer = disk.parcel().unwrap();
    writer.write_all(b"head").unwrap();
    assert_eq!(writer.write(&[2; 600_000]).unwrap_err().kind(), ErrorKind::QuotaExceeded);
    drop(first);
    writer.write_all(&[2; 600_000]).unwrap();
    writer.end_part().unwrap();
    let parcel = writer.finish().unwrap();
    assert!(read(&*parcel, 0).unwrap() == [b"head".as_slice(), &[2; 600_000]].concat());
}

/// A file system of one megabyte, where this process may mount one.
struct Tiny(tempfile::TempDir);

impl Tiny {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(folder.path());
        let mounted = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(folder))
    }
}

impl Drop for Tiny {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(self.0.path()).status().unwrap();
    }
}

#[test]
fn a_full_disk_is_an_error_that_says_what_to_do() {
    let tiny = Tiny::mount();
    let base = tempfile::tempdir().unwrap();
    // Who may not mount gets the same refusal from the budget.
    let options = match &tiny {
        Some(tiny) => under(tiny.0.path()).limit(u64::MAX),
        None => under(base.path()).limit(1 << 20),
    };
    let dir = options.base.clone();
    let disk = SpillDir::new(options.compression(SpillCompression::Never));
    let mut random = Random::new(2);
    let kept = spill(&disk, &[vec![1; 300_000]], &mut random).unwrap();
    let error = spill(&disk, &[vec![2; 2_000_000]], &mut random).unwrap_err();
    match (spill_error(error.cause()), &tiny) {
        (SpillError::Full { free: Some(_), .. }, Some(tiny)) => {
            // Without a limit of ours there is one below what is free: nothing of so small a disk.
            let careful = SpillDir::new(under(tiny.0.path()));
            let error = spill(&careful, &[vec![1]], &mut random).unwrap_err();
            assert!(matches!(spill_error(error.cause()), SpillError::Limit { limit: 0, .. }), "{error}");
            assert!(careful.lies_in_memory());
        }
        (SpillError::Limit { .. }, None) => {}
        (other, _) => panic!("{other:?}"),
    }
    for said in ["did not fit", "free", "spilled", "spill_dir", "spill_limit", "memory_limit"] {
        assert!(error.to_string().contains(said), "{said} in {error}");
    }
    assert!(error.to_string().contains(dir.to_str().unwrap()), "{error}");
    assert!(read(&*kept, 0).unwrap() == vec![1; 300_000]);
    assert!(spill(&disk, &[vec![3; 600_000]], &mut random).is_ok(), "the space of the attempt is free again");
    drop((kept, disk));
    assert!(is_empty(&dir));
}

#[test]
fn a_folder_that_is_missing_is_named() {
    let disk = SpillDir::new(SpillOptions::default().base("/nonexistent-folder"));
    let error = disk.parcel().err().unwrap();
    assert!(matches!(spill_error(error.cause()), SpillError::Io { .. }), "{error}");
    assert!(error.to_string().contains("/nonexistent-folder"), "{error}");
    assert_eq!(disk.counts().parcels, 0);
}

#[test]
fn what_is_dropped_unfinished_leaves_nothing_and_the_last_parcel_takes_the_folder_along() {
    let base = tempfile::tempdir().unwrap();
    let disk = SpillDir::new(under(base.path()));
    assert!(is_empty(base.path()), "nothing is made before it is needed");
    let mut unfinished = disk.parcel().unwrap();
    unfinished.write_all(&[7; 1 << 20]).unwrap();
    let parcel = spill(&disk, &[vec![1]], &mut Random::new(1)).unwrap();
    assert_eq!(disk.counts().parcels, 2);
    drop(unfinished);
    only_parcel(&disk);
    assert_eq!((disk.counts().parcels, disk.counts().stored), (1, 1));
    drop(disk);
    assert_eq!(read(&*parcel, 0).unwrap(), [1], "a parcel keeps its folder");
    drop(parcel);
    assert!(is_empty(base.path()));
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_look_into_the_folder() {
    use std::os::unix::fs::PermissionsExt;
    let base = tempfile::tempdir().unwrap();
    let disk = SpillDir::new(under(base.path()));
    let _parcel = disk.parcel().unwrap();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(disk.path().unwrap()), mode(only_parcel(&disk))), (0o700, 0o600));
}

#[test]
fn ten_thousand_parcels_keep_no_file_open() {
    let base = tempfile::tempdir().unwrap();
    let disk = SpillDir::new(under(base.path()));
    let mut random = Random::new(1);
    let parcels: Vec<_> =
        (0..10_000_u32).map(|i| spill(&disk, &[i.to_le_bytes().to_vec()], &mut random).unwrap()).collect();
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        let own = disk.path().unwrap();
        let ours =
            open.flatten().filter(|fd| fs::read_link(fd.path()).is_ok_and(|path| path.starts_with(&own)));
        assert_eq!(ours.count(), 1, "the lock");
    }
    for (i, parcel) in parcels.iter().enumerate() {
        assert_eq!(read(&**parcel, 0).unwrap(), (i as u32).to_le_bytes());
    }
}

#[test]
fn eight_threads_write_and_read_at_once() {
    let base = tempfile::tempdir().unwrap();
    let disk = SpillDir::new(under(base.path()).limit(1 << 30));
    let shared_parts: Vec<_> = (0..8).map(|i| vec![i; 100_000]).collect();
    let shared = spill(&disk, &shared_parts, &mut Random::new(1)).unwrap();
    std::thread::scope(|scope| {
        for seed in 0..8 {
            let (disk, shared, shared_parts) = (&disk, &shared, &shared_parts);
            scope.spawn(move || {
                let mut random = Random::new(seed);
                let mut alive = Vec::new();
                for _ in 0..12 {
                    let parts: Vec<_> = (0..random.below(4)).map(|_| some_bytes(&mut random)).collect();
                    alive.push((spill(disk, &parts, &mut random).unwrap(), parts));
                    if random.one_in(2) {
                        alive.swap_remove(random.below(alive.len()));
                    }
                    for (parcel, parts) in &alive {
                        assert!((0..parts.len()).all(|part| read(&**parcel, part).unwrap() == parts[part]));
                    }
                    let part = random.below(8);
                    assert!(read(&**shared, part).unwrap() == shared_parts[part]);
                }
            });
        }
    });
    assert_eq!((disk.counts().parcels, disk.counts().stored), (1, shared.stored_bytes()));
    drop(shared);
    assert_eq!(disk.counts().stored, 0);
    drop(disk);
    assert!(is_empty(base.path()));
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next_and_what_lives_is_not() {
    if let Some(base) = Doomed::folder() {
        let disk = SpillDir::new(under(&base).compression(SpillCompression::Never));
        let _parcel = spill(&disk, &[vec![1; 1000]], &mut Random::new(1)).unwrap();
        return Doomed::stand_still();
    }
    let base = tempfile::tempdir().unwrap();
    let living = SpillDir::new(under(base.path()));
    let parcel = spill(&living, &[vec![1; 10]], &mut Random::new(1)).unwrap();
    let name = "disk::what_a_killed_run_left_is_removed_by_the_next_and_what_lives_is_not";
    let child = Doomed::start(name, base.path());
    let count = || fs::read_dir(base.path()).unwrap().count();
    assert_eq!(count(), 2);

    let beside = SpillDir::new(under(base.path()));
    let _writer = beside.parcel().unwrap();
    assert_eq!((count(), beside.counts().swept), (3, 0), "all three are alive");

    child.kill();
    assert_eq!(count(), 3, "the dead one has left its folder");
    let next = SpillDir::new(under(base.path()));
    let _writer = next.parcel().unwrap();
    assert_eq!(
        (count(), next.counts().swept),
        (3, 1000),
        "the dead one's folder is gone, a new one has come"
    );
    assert!(living.path().unwrap().exists() && beside.path().unwrap().exists());
    assert_eq!(read(&*parcel, 0).unwrap(), [1; 10]);
}

#[cfg(unix)]
#[test]
fn a_link_or_a_stranger_is_not_swept() {
    let base = tempfile::tempdir().unwrap();
    let precious = tempfile::tempdir().unwrap();
    fs::write(precious.path().join("file"), "x").unwrap();
    std::os::unix::fs::symlink(precious.path(), base.path().join("musher-spill-1-link")).unwrap();
    fs::create_dir(base.path().join("musher-spill-2-open-to-others")).unwrap();
    fs::create_dir(base.path().join("something-else")).unwrap();
    let disk = SpillDir::new(under(base.path()));
    drop(disk.parcel().unwrap());
    drop(disk);
    assert!(precious.path().join("file").exists());
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 3);
}

#[test]
fn folders_made_at_once_by_many_do_not_sweep_each_other() {
    let base = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for seed in 0..8 {
            let base = base.path();
            scope.spawn(move || {
                for round in 0..20 {
                    let disk = SpillDir::new(under(base));
                    let part = vec![seed as u8; 100];
                    let parcel = spill(&disk, std::slice::from_ref(&part), &mut Random::new(seed)).unwrap();
                    assert!(read(&*parcel, 0).unwrap() == part, "round {round}");
                }
            });
        }
    });
    assert!(is_empty(base.path()));
}

#[test]
fn what_is_small_stays_in_memory() {
    let disk = SpillDir::new(SpillOptions::default().in_memory(100));
    let own = disk.keep(60, 100).expect("all of it fits");
    assert!(disk.keep(1, 101).is_none(), "an exchange that does not fit goes to the disk as a whole");
    let other = disk.keep(40, 80).expect("the rest");
    assert!(disk.keep(1, 1).is_none(), "several exchanges share the room");
    drop(own);
    assert!(disk.keep(61, 61).is_none() && disk.keep(60, 60).is_some());
    drop(other);
    assert!(disk.keep(100, 100).is_some());
}
