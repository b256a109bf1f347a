//! Methods and members that builtin types have too: `x.append()` is rarely the project's method, unless the type of the
//! receiver is known.

use std::sync::LazyLock;

use rustc_hash::FxHashSet;

/// The names, separated by spaces.
const NAMES: &str = "\
    Add add all all? and_then Any any any? append apply as_bytes as_mut as_ref as_slice as_str bind body borrow \
    bytes call chain chars chunks Clear clear clone cloned Close close cmp collect compact compareTo compute \
    concat config const_iterator Contains contains containsKey content context copied copy Count count Create \
    create data decode default delete delete_if describe difference_type dig Dispose drain each each_with_index encode \
    ends_with endsWith entries entry env eq Equals equals err error every expect extend extension extensions \
    failure fetch file_name fill filter filter_map find find_map First first flat_map flatMap flush fmt fold \
    forEach format from get GetHashCode getOrDefault GetType has has_key? hash hashCode headers include? includes \
    index indexOf info insert inspect into into_iter Invoke is_a is_a? is_empty is_err is_file is_none is_ok \
    is_some isEmpty items iter iter_mut iterator join key key? keys kind_of? last len length lines list lock log \
    lookup lower map map_err match matches max merge merge! message metadata method method_missing min name named \
    new next nil? none ok ok_or ok_or_else open options or_default or_else or_insert params parent parse partition \
    path peek pointer pop position print push put raise range read reduce reference reject Remove remove repeat \
    replace respond_to respond_to? result retain rev reverse rewind round run search seek Select select send set \
    settings shift size size_type sleep slice some sort sort! sort_by splice split splitn start starts_with \
    startsWith state status stop str strip strip_prefix strip_suffix subscribe success sum take take_while tap \
    template test text then to_a to_ary to_h to_hash to_i to_json to_owned to_path to_proc to_s to_str to_string \
    to_sym to_vec ToArray ToList ToString toString trim truncate type uniq unwrap unwrap_or unwrap_or_default \
    unwrap_or_else update upper value value_type values wait warn Where windows with_capacity wrap Write write zip";

/// Whether a builtin type of some language has a method of that name.
pub(super) fn is_everyones(name: &str) -> bool {
    static KNOWN: LazyLock<FxHashSet<&str>> = LazyLock::new(|| NAMES.split(' ').collect());
    // Ruby's `map!` is the mutating variant of `map`.
    KNOWN.contains(name) || KNOWN.contains(name.trim_end_matches(['!', '?']))
}

/// Constants that Ruby defines at the top level and projects also define in their modules. Inside such a module the
/// bare name is ambiguous; `Shop::Process` is not.
const RUBY_TOP: &str = "\
    Array Binding Class Comparable Complex Data Date DateTime Dir Encoding Enumerable Enumerator Errno Exception \
    Fiber File Float Hash Integer IO JSON Kernel Logger Marshal Method Module Mutex Numeric Object Pathname Proc \
    Process Queue Random Range Rational Regexp Set Signal String Struct Symbol Thread Time URI";

/// Whether Ruby defines a constant of that name at the top level.
pub(super) fn is_rubys(name: &str) -> bool {
    static KNOWN: LazyLock<FxHashSet<&str>> = LazyLock::new(|| RUBY_TOP.split(' ').collect());
    KNOWN.contains(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_listed_once_and_in_order() {
        let names: Vec<String> = NAMES.split(' ').map(str::to_lowercase).collect();
        assert!(names.is_sorted(), "{names:?}");
        assert!(is_everyones("respond_to?") && !is_everyones("") && !is_everyones("url_for"));
    }
}
