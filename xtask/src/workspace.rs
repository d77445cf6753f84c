//! What cargo knows about the workspace, read once from `cargo metadata`: packages, their dependencies and their targets.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::Result;
use crate::shell;

/// The workspace as cargo sees it.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target_directory: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One member of the workspace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest: PathBuf,
    pub(crate) license: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
    /// `[package.metadata.tidy.unused]`: dependencies that no code names, each with its reason.
    pub(crate) unused: BTreeMap<String, String>,
}

/// One line of a dependency table.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// The name in this manifest, where it is another one.
    pub(crate) rename: Option<String>,
    pub(crate) for_tests: bool,
}

impl Dependency {
    /// The name in the manifest.
    pub(crate) fn known_as(&self) -> &str {
        self.rename.as_deref().unwrap_or(&self.name)
    }

    /// The name in code.
    pub(crate) fn in_code(&self) -> String {
        self.known_as().replace('-', "_")
    }
}

/// A library, binary, example, test or bench.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) source: PathBuf,
    /// Features of the package without which it is not built.
    pub(crate) features: Vec<String>,
}

impl Workspace {
    /// Asks cargo; resolves nothing, so it needs no network.
    pub(crate) fn load() -> Result<Self> {
        let mut command = Command::new(shell::cargo());
        command.args(["metadata", "--no-deps", "--format-version", "1"]);
        parse(&serde_json::from_str(&shell::output(&mut command)?)?)
    }

    /// The member of that name.
    pub(crate) fn package(&self, name: &str) -> Result<&Package> {
        let found = self.packages.iter().find(|package| package.name == name);
        found.ok_or_else(|| format!("the workspace has no package `{name}`").into())
    }
}

fn parse(metadata: &Value) -> Result<Workspace> {
    let packages = metadata["packages"].as_array().ok_or("cargo metadata lists no packages")?;
    Ok(Workspace {
        root: text(&metadata["workspace_root"])?.into(),
        target_directory: text(&metadata["target_directory"])?.into(),
        packages: packages.iter().map(parse_package).collect::<Result<_>>()?,
    })
}

fn parse_package(package: &Value) -> Result<Package> {
    Ok(Package {
        name: text(&package["name"])?,
        manifest: text(&package["manifest_path"])?.into(),
        license: package["license"].as_str().map(str::to_owned),
        dependencies: entries(&package["dependencies"])
            .map(|dependency| {
                let for_tests = dependency["kind"].as_str() == Some("dev");
                let rename = dependency["rename"].as_str().map(str::to_owned);
                Ok(Dependency { name: text(&dependency["name"])?, rename, for_tests })
            })
            .collect::<Result<_>>()?,
        targets: entries(&package["targets"])
            .map(|target| {
                Ok(Target {
                    name: text(&target["name"])?,
                    kind: text(&target["kind"][0])?,
                    source: text(&target["src_path"])?.into(),
                    features: entries(&target["required-features"]).map(text).collect::<Result<_>>()?,
                })
            })
            .collect::<Result<_>>()?,
        unused: package["metadata"]["tidy"]["unused"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, reason)| Ok((name.clone(), text(reason)?)))
            .collect::<Result<_>>()?,
    })
}

fn entries(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> Result<String> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("expected a text, found {value}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_read() {
        let metadata = serde_json::json!({
            "workspace_root": "/r", "target_directory": "/t",
            "packages": [{
                "name": "p", "manifest_path": "/r/Cargo.toml", "license": null,
                "dependencies": [{"name": "a-b", "kind": null}, {"name": "b", "rename": "old", "kind": "dev"}],
                "metadata": {"tidy": {"unused": {"a-b": "its features"}}},
                "targets": [
                    {"name": "x", "kind": ["bench"], "src_path": "/r/benches/x.rs", "required-features": ["f"]},
                    {"name": "y", "kind": ["test"], "src_path": "/r/tests/y.rs"},
                ],
            }],
        });
        let workspace = parse(&metadata).unwrap();
        let package = workspace.package("p").unwrap();
        assert!(package.license.is_none());
        assert_eq!(package.dependencies.iter().map(|d| d.for_tests).collect::<Vec<_>>(), [false, true]);
        assert_eq!(package.dependencies.iter().map(Dependency::in_code).collect::<Vec<_>>(), ["a_b", "old"]);
        assert_eq!(package.unused["a-b"], "its features");
        assert_eq!(package.targets[0].kind, "bench");
        assert_eq!(
            (package.targets[0].features.as_slice(), package.targets[1].features.len()),
            (&["f".to_owned()][..], 0)
        );
        assert!(workspace.package("q").is_err());
        assert!(parse(&serde_json::json!({})).is_err());
    }
}
