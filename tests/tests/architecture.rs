//! The order of the modules: each imports only from those to its left.

#![cfg(test)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of casty, by rank. Modules of one rank do not import one another.
const RANKS: &[&[&str]] = &[
    &["base"],
    &["codec"],
    &["actor", "storage", "wire"],
    &["cluster", "contract"],
    &["raft", "remote"],
    &["replication"],
    &["sharding"],
    &["node"],
    &["client"],
    &["testkit"],
    &["bin"],
];

/// The crate's front: it re-exports, and nobody inside imports from it.
const FRONT: &[&str] = &["lib", "prelude", "__private"];

/// The test kit's actors are written as users write theirs.
const AS_USERS_DO: &[(&str, &str)] = &[("testkit", "prelude")];

#[test]
fn modules_import_downward_only() {
    let ranks = ranks();
    let mut wrong = Vec::new();
    for (file, module) in sources() {
        let Some(&rank) = ranks.get(module.as_str()) else { continue };
        for (line, import) in imports(&fs::read_to_string(&file).unwrap()) {
            let lower = ranks.get(import.as_str()).is_some_and(|other| *other < rank);
            let allowed = import == module || lower || AS_USERS_DO.contains(&(module.as_str(), import.as_str()));
            if !allowed {
                wrong.push(format!("{}:{line}: `{module}` imports `{import}`", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "imports against the order of the modules:\n{}", wrong.join("\n"));
}

#[test]
fn every_module_has_its_place() {
    let ranks = ranks();
    let strangers: Vec<_> = sources().into_iter().map(|(_, module)| module).collect();
    let known = |module: &String| ranks.contains_key(module.as_str()) || FRONT.contains(&module.as_str());
    let strangers: Vec<_> = strangers.into_iter().filter(|module| !known(module)).collect();
    assert!(strangers.is_empty(), "modules without a place in the order: {strangers:?}");
}

#[test]
fn only_the_engine_names_the_raft_library() {
    only("openraft", "raft/engine");
}

#[test]
fn only_the_codec_names_the_format() {
    only("bincode::", "codec");
}

#[test]
fn only_membership_names_the_gossip_library() {
    only("foca::", "cluster/membership");
}

#[test]
fn only_discovery_names_the_resolver() {
    only("hickory_resolver::", "cluster/discovery");
}

#[test]
fn only_the_store_names_the_storage_library() {
    only("redb::", "storage/disk");
}

#[test]
fn only_the_stores_of_entities_name_their_databases() {
    only("rusqlite::", "storage/external/sqlite.rs");
    only("tokio_postgres::", "storage/external/postgres");
}

/// Whoever locks with the standard library's has to say what a panic under the lock means.
#[test]
fn locks_know_no_poison() {
    only("PoisonError", "nowhere");
}

#[test]
fn an_import_is_found_however_it_is_written() {
    let source = "use crate::actor::Env;\nlet x = crate::wire::Kind::RAFT;\n// use crate::node::Node;\nuse crate::{base::GroupId, raft::Group};\n";
    let found: Vec<_> = imports(source).into_iter().map(|(_, import)| import).collect();
    assert_eq!(found, ["actor", "wire", "base", "raft"]);
}

fn only(name: &str, place: &str) {
    let mut wrong = Vec::new();
    for (file, _) in sources() {
        let inside = file.strip_prefix(root()).unwrap().starts_with(place);
        let source = fs::read_to_string(&file).unwrap();
        let mut code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
        if !inside && code.any(|line| line.contains(name)) {
            wrong.push(file);
        }
    }
    assert!(wrong.is_empty(), "only {place} may name `{name}`: {wrong:?}");
}

fn ranks() -> BTreeMap<&'static str, usize> {
    RANKS.iter().enumerate().flat_map(|(rank, modules)| modules.iter().map(move |module| (*module, rank))).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../casty/src").canonicalize().unwrap()
}

/// Every source file of casty, with the top-level module it belongs to.
fn sources() -> Vec<(PathBuf, String)> {
    let (root, mut found, mut folders) = (root(), Vec::new(), vec![root()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let first = path.strip_prefix(&root).unwrap().components().next().unwrap();
                let module = first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
                found.push((path, module));
            }
        }
    }
    found
}

/// The modules that a source names behind `crate::`, with their lines. Comments do not count.
fn imports(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in source.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for (at, _) in code.match_indices("crate::") {
            if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == '$') {
                continue;
            }
            let rest = &code[at + "crate::".len()..];
            match rest.strip_prefix('{') {
                Some(group) => found.extend(group.split(',').filter_map(first_name).map(|name| (number + 1, name))),
                None => found.extend(first_name(rest).map(|name| (number + 1, name))),
            }
        }
    }
    found
}

fn first_name(path: &str) -> Option<String> {
    let name: String = path.trim().chars().take_while(|next| next.is_alphanumeric() || *next == '_').collect();
    (!name.is_empty() && name.chars().all(|next| next.is_lowercase() || next == '_')).then_some(name)
}
