//! The applications for trying a gem: folders of its repository that have a `Gemfile` of their own and are no gem.

use super::imports::{folder_of, is_below};
use super::manifest::Manifest;

/// The folders of applications that a gem's repository has for trying it. They use the gem as others do, so they are
/// no part of it.
pub(crate) fn sample_apps(manifests: &[Manifest]) -> Vec<&str> {
    let of = |is: fn(&str) -> bool| {
        let found = manifests.iter().filter(move |one| is(&one.path));
        found.map(|one| folder_of(&one.path))
    };
    let gems: Vec<&str> = of(|path| path.ends_with(".gemspec")).collect();
    let bundles = of(|path| path == "Gemfile" || path.ends_with("/Gemfile"));
    let is_app = |folder: &&str| {
        let holds = |gem: &&str| *gem == *folder || is_below(gem, folder);
        let around = |gem: &&str| gem.is_empty() || is_below(folder, gem);
        !folder.is_empty() && !gems.iter().any(holds) && gems.iter().any(around)
    };
    bundles.filter(is_app).collect()
}

/// Whether the file at `path` is in one of the folders.
pub(crate) fn is_in(path: &str, folders: &[&str]) -> bool {
    folders.iter().any(|folder| is_below(path, folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_beside_a_gem_is_an_application_for_trying_it() {
        let of = |paths: &[&str]| -> Vec<String> {
            let manifest = |path: &&str| Manifest {
                path: (*path).to_owned(),
                text: String::new(),
            };
            let manifests: Vec<Manifest> = paths.iter().map(manifest).collect();
            let apps = sample_apps(&manifests).into_iter();
            apps.map(str::to_owned).collect()
        };
        let gem = [
            "jobs.gemspec",
            "Gemfile",
            "myapp/Gemfile",
            "web/Gemfile",
            "web/web.gemspec",
        ];
        assert_eq!(of(&gem), ["myapp"]);
        assert!(of(&["Gemfile", "engine/Gemfile"]).is_empty(), "no gem");
    }
}
