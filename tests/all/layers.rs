//! The order of the folders in `src`: each may use only those above it.

use std::{fs, path::Path};

const LAYERS: [&str; 13] = [
    "data", "features", "model", "train", "evaluate", "report", "export", "track", "registry",
    "monitor", "serve", "pipeline", "cli",
];

fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
    found
}

/// The layers that a source names, in `crate::x`, `crate::{x, y::z}` or by `massay::x`.
fn named_layers(source: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for (at, _) in source.match_indices("crate::") {
        let rest = source[at + 7..].trim_start();
        if let Some(group) = rest.strip_prefix('{') {
            names.extend(group_members(group));
        } else {
            names.push(rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap());
        }
    }
    names
}

/// The first segment of each member of `{a::b, c::{d, e}}`, the text after the opening brace.
fn group_members(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut members) = (0, 0, Vec::new());
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                members.push(text[start..at].trim().split("::").next().unwrap());
                start = at + 1;
                if character == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    members
}

#[test]
fn every_folder_of_the_source_is_a_known_layer() {
    for entry in fs::read_dir("src").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(!path.is_dir() || LAYERS.contains(&name.as_str()), "src/{name} is on no list");
    }
}

#[test]
fn a_layer_uses_only_layers_above_it() {
    let mut checked = 0;
    for (place, layer) in LAYERS.iter().enumerate() {
        let folder = Path::new("src").join(layer);
        for (path, source) in if folder.exists() { sources(&folder) } else { Vec::new() } {
            for used in named_layers(&source) {
                let allowed = LAYERS[..=place].contains(&used);
                assert!(allowed || !LAYERS.contains(&used), "{path} uses `{used}`, which is below");
                checked += usize::from(LAYERS.contains(&used));
            }
        }
    }
    assert!(checked > 50, "only {checked} uses were found: the search is broken");
}

#[test]
fn the_search_sees_grouped_and_nested_uses() {
    let source = "use crate::{\n    data::{A, B},\n    model::C,\n};\nlet x = crate::cli::main();";
    assert_eq!(named_layers(source), ["data", "model", "", "cli"]);
}

#[test]
fn files_are_short_and_only_the_backend_file_names_a_backend() {
    for (path, source) in sources(Path::new("src")) {
        let lines = source.lines().count();
        assert!(lines <= 400, "{path} has {lines} lines, at most 400 are allowed");
        let code = source.split("#[cfg(test)]").next().unwrap();
        let names_backend = code.contains("Device::ndarray") || code.contains("Device::wgpu");
        let is_backend = path.ends_with("backend.rs");
        assert!(!names_backend || is_backend, "{path} names a burn backend");
    }
}
