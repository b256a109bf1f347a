//! Strongly connected components of a graph, and a cycle in each.

use rustc_hash::FxHashMap;

/// The search starts at most at this many members of one component, so that its cost is bounded.
const STARTS_MAX: usize = 64;

/// A component with more than one member.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Circle {
    /// How many members it has.
    pub size: usize,
    /// One cycle, beginning with its smallest member.
    pub way: Vec<u32>,
}

/// The components of a graph, each after those that it has edges to (R. Tarjan, "Depth-first search and linear graph
/// algorithms", SIAM Journal on Computing 1, 1972). Members are sorted. The algorithm does not recurse: a chain of
/// imports may be as long as the number of files.
pub(crate) fn components(graph: &[Vec<u32>]) -> Vec<Vec<u32>> {
    const NEW: u32 = u32::MAX;
    let mut order = vec![NEW; graph.len()];
    let mut low = vec![0_u32; graph.len()];
    let mut is_open = vec![false; graph.len()];
    let mut open: Vec<u32> = Vec::new();
    let mut calls: Vec<(u32, usize)> = Vec::new();
    let mut next = 0;
    let mut found = Vec::new();
    for start in 0..u32::try_from(graph.len()).unwrap_or(u32::MAX) {
        if order[start as usize] != NEW {
            continue;
        }
        calls.push((start, 0));
        while let Some((node, edge)) = calls.last_mut() {
            let (node, at) = (*node, *edge);
            let index = node as usize;
            if at == 0 {
                order[index] = next;
                low[index] = next;
                next += 1;
                open.push(node);
                is_open[index] = true;
            }
            if let Some(to) = graph[index].get(at).copied() {
                *edge += 1;
                if order[to as usize] == NEW {
                    calls.push((to, 0));
                } else if is_open[to as usize] {
                    low[index] = low[index].min(order[to as usize]);
                }
                continue;
            }
            calls.pop();
            if let Some((parent, _)) = calls.last() {
                let parent = *parent as usize;
                low[parent] = low[parent].min(low[index]);
            }
            if low[index] == order[index] {
                let begins = open.iter().rposition(|one| *one == node).unwrap_or(0);
                let mut members = open.split_off(begins);
                for member in &members {
                    is_open[*member as usize] = false;
                }
                members.sort_unstable();
                found.push(members);
            }
        }
    }
    found
}

/// The components with more than one member, largest first, each with a short cycle: a shortest one through any of the
/// first members that were tried.
pub(crate) fn shortest_circles(graph: &[Vec<u32>]) -> Vec<Circle> {
    let mut circles: Vec<Circle> = components(graph)
        .into_iter()
        .filter(|members| members.len() > 1)
        .map(|members| Circle {
            size: members.len(),
            way: way_around(graph, &members),
        })
        .collect();
    circles.sort_by(|a, b| b.size.cmp(&a.size).then_with(|| a.way.cmp(&b.way)));
    circles
}

fn way_around(graph: &[Vec<u32>], members: &[u32]) -> Vec<u32> {
    let mut best: Vec<u32> = Vec::new();
    // Two files that import each other are the shortest possible cycle, found without a search.
    let pair = members.iter().find_map(|from| {
        let back = |to: &&u32| **to > *from && graph[**to as usize].binary_search(from).is_ok();
        graph[*from as usize]
            .iter()
            .find(back)
            .map(|to| vec![*from, *to])
    });
    if let Some(pair) = pair {
        return pair;
    }
    for start in members.iter().take(STARTS_MAX) {
        let way = way_through(graph, members, *start);
        if !way.is_empty() && (best.is_empty() || way.len() < best.len()) {
            best = way;
        }
    }
    let least = best.iter().enumerate().min_by_key(|(_, node)| **node);
    let least = least.map_or(0, |(at, _)| at);
    best.rotate_left(least);
    best
}

/// A shortest cycle through `start`, by breadth-first search.
fn way_through(graph: &[Vec<u32>], members: &[u32], start: u32) -> Vec<u32> {
    let mut came_from: FxHashMap<u32, u32> = FxHashMap::default();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for to in &graph[node as usize] {
            if *to == start {
                let mut way = vec![node];
                let mut at = node;
                while let Some(before) = came_from.get(&at) {
                    way.push(*before);
                    at = *before;
                }
                way.reverse();
                return way;
            }
            if members.binary_search(to).is_ok() && !came_from.contains_key(to) {
                came_from.insert(*to, node);
                queue.push_back(*to);
            }
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_component_comes_after_what_it_leads_to() {
        let graph = vec![vec![1], vec![2, 3], vec![1], vec![]];
        assert_eq!(components(&graph), [vec![3], vec![1, 2], vec![0]]);
    }

    #[test]
    fn the_shortest_cycle_starts_at_its_smallest_member() {
        let graph = vec![vec![1], vec![2], vec![3], vec![0, 4], vec![2]];
        let circles = shortest_circles(&graph);
        assert_eq!(circles.len(), 1);
        assert_eq!(
            (circles[0].size, circles[0].way.clone()),
            (5, vec![2, 3, 4])
        );
    }

    #[test]
    fn a_chain_of_a_million_is_no_deep_recursion() {
        let length = 1_000_000_u32;
        let graph: Vec<Vec<u32>> = (0..length).map(|node| vec![(node + 1) % length]).collect();
        assert_eq!(components(&graph).len(), 1);
    }

    proptest! {
        #[test]
        fn every_way_around_is_one_and_members_reach_each_other(edges in proptest::collection::vec((0_u32..12, 0_u32..12), 0..40)) {
            let mut graph = vec![Vec::new(); 12];
            for (from, to) in edges {
                if from != to {
                    graph[from as usize].push(to);
                }
            }
            for list in &mut graph {
                list.sort_unstable();
                list.dedup();
            }
            let mut reaches = vec![vec![false; 12]; 12];
            for (from, list) in graph.iter().enumerate() {
                for to in list {
                    reaches[from][*to as usize] = true;
                }
            }
            for middle in 0..12 {
                for from in 0..12 {
                    for to in 0..12 {
                        let through = reaches[from][middle] && reaches[middle][to];
                        reaches[from][to] |= through;
                    }
                }
            }
            for members in components(&graph) {
                for node in 0..12_u32 {
                    let one = members[0] as usize;
                    let both = node as usize == one || (reaches[one][node as usize] && reaches[node as usize][one]);
                    prop_assert_eq!(members.contains(&node), both);
                }
            }
            for circle in shortest_circles(&graph) {
                for (at, node) in circle.way.iter().enumerate() {
                    let next = circle.way[(at + 1) % circle.way.len()];
                    prop_assert!(graph[*node as usize].contains(&next));
                }
            }
        }
    }
}
