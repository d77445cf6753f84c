//! Rules about manifests: the arrows between the crates, what a member must say, features with reasons, and where crates come from.

use super::Problem;
use crate::workspace::Package;

/// Who may know whom, by the names without `musher-`; the picture is in ARCHITECTURE.md.
///
/// ```text
/// level 4   musher (the facade)
/// level 3   ml → array      image → array      viz → scheduler
/// level 2   array   frame   bag        (siblings; none knows another)
/// level 1   scheduler
/// level 0   graph-core → macros
/// ```
const ARROWS: [(&str, &[&str]); 12] = [
    ("macros", &[]),
    ("graph-core", &["macros"]),
    ("scheduler", &["graph-core"]),
    ("array", &["graph-core", "scheduler"]),
    ("frame", &["graph-core", "scheduler"]),
    ("bag", &["graph-core", "scheduler"]),
    ("ml", &["graph-core", "scheduler", "array"]),
    ("image", &["graph-core", "scheduler", "array"]),
    ("viz", &["graph-core", "scheduler"]),
    ("testkit", &["graph-core", "scheduler"]),
    ("musher", &["graph-core", "scheduler", "array", "frame", "bag", "ml", "image", "viz", "macros"]),
    ("xtask", &[]),
];

/// Data libraries and the only members that may depend on them: what one builds for arrays does not build polars.
const DATA_LIBRARIES: [(&str, &[&str]); 4] = [
    ("polars", &["frame", "musher"]),
    ("linfa", &["ml", "musher"]),
    ("image", &["image", "viz", "musher"]),
    ("ndarray", &["graph-core", "array", "image", "ml", "musher"]),
];

/// Checks a member's dependencies against the arrows. For its tests a member may also use testkit and the crates
/// below, never a sibling.
pub(super) fn arrows(package: &Package) -> Vec<Problem> {
    let name = short(&package.name);
    let Some((_, allowed)) = ARROWS.iter().find(|(member, _)| *member == name) else {
        return vec![Problem::new(
            0,
            format!("`{}` has no place in the picture of the crates (tidy/manifest.rs)", package.name),
        )];
    };
    let mut problems = Vec::new();
    for dependency in &package.dependencies {
        let other = short(&dependency.name);
        let for_tests = dependency.for_tests && other == "testkit";
        let ours = dependency.name.starts_with("musher");
        if ours && !allowed.contains(&other) && !for_tests {
            problems.push(Problem::new(0, format!("{name} may not know {other}")));
        }
        let library = DATA_LIBRARIES.iter().find(|(library, _)| *library == family(&dependency.name));
        if let Some((library, users)) = library
            && !ours
            && !users.contains(&name)
        {
            problems
                .push(Problem::new(0, format!("{name} may not depend on {library} ({})", dependency.name)));
        }
    }
    problems
}

fn short(name: &str) -> &str {
    name.strip_prefix("musher-").unwrap_or(name)
}

/// `polars-io` belongs to `polars`.
fn family(name: &str) -> &str {
    name.split_once('-').map_or(name, |(first, _)| first)
}

/// Every member has a licence and lives under the lints of the workspace.
pub(super) fn member(package: &Package, content: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    if package.license.as_deref() != Some("MIT OR Apache-2.0") {
        problems.push(Problem::new(0, "needs `license.workspace = true`"));
    }
    let mut sections = content.split("\n[").filter(|section| section.starts_with("lints]"));
    if !sections.any(|section| section.lines().any(|line| line.trim() == "workspace = true")) {
        problems.push(Problem::new(0, "needs `[lints] workspace = true`"));
    }
    problems
}

/// Each feature has a comment above it that says why it exists.
pub(super) fn features(content: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let (mut inside, mut explained, mut open) = (false, false, false);
    for (index, line) in content.lines().map(str::trim).enumerate() {
        if line.starts_with('[') && !open {
            inside = line == "[features]";
        } else if inside && line.starts_with('#') {
            explained = true;
        } else if inside && !open && !line.is_empty() {
            if !explained && !line.starts_with("default") {
                problems.push(Problem::new(index + 1, "a feature needs a comment on why it exists"));
            }
            explained = false;
        }
        open = inside && (open || line.contains('[') && line.contains('=')) && !line.contains(']');
    }
    problems
}

/// Every foreign crate comes from crates.io.
pub(super) fn lock(content: &str) -> Vec<Problem> {
    const REGISTRY: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    let numbered = content.lines().enumerate();
    let foreign = numbered.filter(|(_, line)| line.starts_with("source = ") && *line != REGISTRY);
    foreign.map(|(index, line)| Problem::new(index + 1, format!("not from crates.io: {line}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn problems(name: &str, normal: &[&str], tests: &[&str]) -> usize {
        let table = |names: &[&str], for_tests| -> Vec<Dependency> {
            names
                .iter()
                .map(|name| Dependency { name: (*name).to_owned(), rename: None, for_tests })
                .collect()
        };
        let dependencies = [table(normal, false), table(tests, true)].concat();
        arrows(&Package { name: name.to_owned(), dependencies, ..Package::default() }).len()
    }

    #[test]
    fn arrows_point_down() {
        assert_eq!(
            problems(
                "musher-array",
                &["musher-graph-core", "musher-scheduler", "ndarray"],
                &["musher-testkit"]
            ),
            0
        );
        assert_eq!(problems("musher-array", &["musher-frame"], &[]), 1);
        assert_eq!(problems("musher-array", &[], &["musher-frame"]), 1);
        assert_eq!(problems("musher-array", &["musher-testkit"], &[]), 1);
        assert_eq!(problems("musher-scheduler", &["musher-array"], &[]), 1);
        assert_eq!(problems("musher-ml", &["musher-array", "musher-image"], &[]), 1);
        assert_eq!(problems("musher-macros", &[], &["musher-graph-core"]), 1);
        assert_eq!(problems("musher-new", &[], &[]), 1);
    }

    #[test]
    fn data_libraries_stay_in_their_crates() {
        assert_eq!(problems("musher-graph-core", &["polars"], &[]), 1);
        assert_eq!(problems("musher-array", &["polars-core"], &[]), 1);
        assert_eq!(problems("musher-bag", &[], &["polars"]), 1);
        assert_eq!(problems("musher-frame", &["polars", "polars-io"], &[]), 0);
        assert_eq!(problems("musher-ml", &["linfa", "linfa-linear", "ndarray", "musher-array"], &[]), 0);
        assert_eq!(problems("musher", &["musher-image", "polars"], &["musher-testkit"]), 0);
    }

    #[test]
    fn members_carry_licence_and_lints() {
        let licensed = Package { license: Some("MIT OR Apache-2.0".to_owned()), ..Package::default() };
        assert!(member(&licensed, "[package]\nname = \"x\"\n\n[lints]\nworkspace = true\n").is_empty());
        assert_eq!(member(&licensed, "[package]\n\n[dependencies]\nworkspace = true\n").len(), 1);
        assert_eq!(member(&Package::default(), "[lints]").len(), 2);
    }

    #[test]
    fn features_say_why() {
        let good = "[features]\ndefault = [\"a\"]\n# Why a.\na = [\n  \"dep:x\",\n]\n# Why b.\nb = []\n[dependencies]\nx = \"1\"\n";
        assert!(features(good).is_empty());
        let bad = "[features]\n# Why a.\na = []\nb = []\n";
        assert_eq!(features(bad).iter().map(|p| p.line).collect::<Vec<_>>(), [4]);
    }

    #[test]
    fn crates_come_from_one_place() {
        let good = "source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
        assert!(lock(good).is_empty());
        assert_eq!(lock("name = \"x\"\nsource = \"git+https://example.org/x\"\n")[0].line, 2);
    }
}
