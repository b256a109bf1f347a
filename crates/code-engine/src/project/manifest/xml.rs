//! Reads manifests in XML: those of Maven and of .NET. The parser handles comments, CDATA and namespaces. A document
//! that is malformed or declares entities is ignored: a manifest needs none, and they could expand without bound.

use roxmltree::{Document, Node};

use super::{Ecosystem, Packages};

/// A document, unless it is malformed.
pub(in crate::project) fn document(text: &str) -> Option<Document<'_>> {
    Document::parse(text).ok()
}

/// The elements with one of these names, whatever their namespaces, in the order of the document.
pub(in crate::project) fn elements<'d, 't>(
    document: &'d Document<'t>,
    names: &[&str],
) -> Vec<Node<'d, 't>> {
    let all = document.descendants();
    all.filter(|node| node.is_element() && names.contains(&node.tag_name().name()))
        .collect()
}

/// The text of the first element of that name.
pub(in crate::project) fn value<'d>(document: &'d Document<'_>, name: &str) -> Option<&'d str> {
    text(*elements(document, &[name]).first()?)
}

/// The text of an element's first child of that name.
pub(in crate::project) fn child_value<'d>(parent: Node<'d, '_>, name: &str) -> Option<&'d str> {
    text(child(parent, name)?)
}

fn child<'d, 't>(parent: Node<'d, 't>, name: &str) -> Option<Node<'d, 't>> {
    parent
        .children()
        .find(|node| node.is_element() && node.tag_name().name() == name)
}

/// The trimmed text of an element, unless it is empty.
fn text<'d>(element: Node<'d, '_>) -> Option<&'d str> {
    let text = element.children().find(Node::is_text)?.text()?.trim();
    (!text.is_empty()).then_some(text)
}

/// Reads a `pom.xml`: the group of the project, which may be that of its parent, and the groups of its parent, its
/// dependencies and its plugins.
pub(super) fn pom(text: &str, packages: &mut Packages) {
    let Some(document) = document(text) else {
        return;
    };
    let project = document.root_element();
    let package = |group: &str| (Ecosystem::Maven, group.to_owned());
    let parent = child(project, "parent").and_then(|parent| child_value(parent, "groupId"));
    let own = child_value(project, "groupId").or(parent);
    packages.own.extend(own.map(package));
    packages.dependencies.extend(parent.map(package));
    for dependency in elements(&document, &["dependency", "plugin"]) {
        let Some(group) = child_value(dependency, "groupId") else {
            continue;
        };
        let set = match child_value(dependency, "scope") {
            Some("test") => &mut packages.tools,
            _ => &mut packages.dependencies,
        };
        set.insert(package(group));
    }
}

/// Reads a .NET project file: the packages that it references.
pub(super) fn csproj(text: &str, packages: &mut Packages) {
    let Some(document) = document(text) else {
        return;
    };
    let references = elements(&document, &["PackageReference"]).into_iter();
    let names = references.filter_map(|reference| reference.attribute("Include"));
    packages
        .dependencies
        .extend(names.map(|name| (Ecosystem::NuGet, name.to_owned())));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str, text: &str) -> Packages {
        super::super::read(&[super::super::Manifest {
            path: path.to_owned(),
            text: text.to_owned(),
        }])
    }

    fn names(set: &std::collections::BTreeSet<(Ecosystem, String)>) -> Vec<&str> {
        set.iter().map(|(_, name)| name.as_str()).collect()
    }

    #[test]
    fn a_dependency_in_a_comment_is_none() {
        let text = "<project><!-- <dependency><groupId>old</groupId></dependency> -->
            <dependencies><dependency><groupId>new</groupId></dependency></dependencies></project>";
        assert_eq!(names(&read("pom.xml", text).dependencies), ["new"]);
    }

    #[test]
    fn a_namespace_changes_no_name() {
        let text =
            "<?xml version=\"1.0\"?><m:project xmlns:m=\"http://maven.apache.org/POM/4.0.0\">
            <m:groupId>own</m:groupId>
            <m:dependency><m:groupId><![CDATA[ a.b ]]></m:groupId></m:dependency></m:project>";
        let packages = read("pom.xml", text);
        assert_eq!(names(&packages.own), ["own"]);
        assert_eq!(names(&packages.dependencies), ["a.b"]);
    }

    #[test]
    fn a_project_without_a_group_has_its_parents() {
        let text = "<project><parent><groupId>above</groupId></parent>
            <dependency><groupId>other</groupId></dependency></project>";
        assert_eq!(names(&read("pom.xml", text).own), ["above"]);
    }

    #[test]
    fn an_excluded_group_is_no_dependency() {
        let text = "<project><dependency><exclusions><exclusion><groupId>out</groupId></exclusion></exclusions>
            <groupId>in</groupId></dependency></project>";
        assert_eq!(names(&read("pom.xml", text).dependencies), ["in"]);
    }

    #[test]
    fn attributes_may_stand_in_any_order_and_quotes() {
        let text = "\u{feff}<Project>\n<PackageReference\n  Version='2.5'\n  Include='xunit'/>\n</Project>";
        assert_eq!(names(&read("a.csproj", text).dependencies), ["xunit"]);
    }

    #[test]
    fn entities_are_not_expanded() {
        let text = "<!DOCTYPE project [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>
            <project><groupId>&b;</groupId></project>";
        assert!(read("pom.xml", text).own.is_empty());
    }

    #[test]
    fn nesting_without_end_says_nothing() {
        assert!(read("pom.xml", &"<a>".repeat(100_000)).own.is_empty());
        let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        assert!(read("pom.xml", &deep).own.is_empty());
    }
}
