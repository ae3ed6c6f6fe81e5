//! Who needs whom: the graph of services, checked and put in order.

use std::collections::BTreeMap;
use std::sync::Arc;

/// A service as the graph is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: Arc<str>,
    /// Without these it does not run.
    pub requires: Vec<Arc<str>>,
    /// It starts after these, if they are there, whatever becomes of them.
    pub wants: Vec<Arc<str>>,
}

/// Why there is no order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// A required service is not there.
    #[error("service {service:?} requires {wanted:?}, which is not registered; registered are: {known}")]
    Unknown {
        /// Who requires it.
        service: Arc<str>,
        /// What is not there.
        wanted: Arc<str>,
        /// What is.
        known: String,
    },
    /// Services need each other in a circle.
    #[error("dependency cycle: {}: none of these can start first", .0.join(" -> "))]
    Cycle(Vec<String>),
}

/// The graph; services are numbered as they were told.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Graph {
    requires: Vec<Vec<usize>>,
    wants: Vec<Vec<usize>>,
    /// Who requires each.
    dependents: Vec<Vec<usize>>,
    order: Vec<usize>,
    /// Wanted services that are not there: by whom, which.
    absent: Vec<(usize, Arc<str>)>,
}

/// How far a walk has come with a service.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Unseen,
    OnTheWay,
    Done,
}

impl Graph {
    /// The graph of these services. `known` are the names that an error offers.
    ///
    /// # Errors
    /// [`GraphError`]: a required service that is not among them, or a circle of `requires` and `wants`.
    pub fn of(nodes: &[Node], known: &[String]) -> Result<Self, GraphError> {
        let places: BTreeMap<&str, usize> = nodes.iter().enumerate().map(|(at, node)| (&*node.name, at)).collect();
        let mut graph = Self { dependents: vec![Vec::new(); nodes.len()], ..Self::default() };
        for (at, node) in nodes.iter().enumerate() {
            let mut requires = Vec::new();
            for wanted in &node.requires {
                let place = *places.get(&**wanted).ok_or_else(|| unknown(node, wanted, known))?;
                add(&mut requires, place);
                add(&mut graph.dependents[place], at);
            }
            let mut wants = Vec::new();
            for wanted in &node.wants {
                match places.get(&**wanted) {
                    Some(place) => add(&mut wants, *place),
                    None => graph.absent.push((at, Arc::clone(wanted))),
                }
            }
            graph.requires.push(requires);
            graph.wants.push(wants);
        }
        graph.order = graph.sorted().map_err(|path| cycle(nodes, &path))?;
        Ok(graph)
    }

    /// What a service does not run without.
    pub fn requires(&self, at: usize) -> &[usize] {
        &self.requires[at]
    }

    /// What a service starts after, besides.
    pub fn wants(&self, at: usize) -> &[usize] {
        &self.wants[at]
    }

    /// Who requires a service.
    pub fn dependents(&self, at: usize) -> &[usize] {
        &self.dependents[at]
    }

    /// All services, each after those that it needs.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// Wanted services that are not there: by whom, which.
    pub fn absent(&self) -> &[(usize, Arc<str>)] {
        &self.absent
    }

    /// A depth-first walk, without recursion: a chain may be long. Ends with a circle where there is one.
    fn sorted(&self) -> Result<Vec<usize>, Vec<usize>> {
        let count = self.requires.len();
        let (mut marks, mut order) = (vec![Mark::Unseen; count], Vec::with_capacity(count));
        // Where the walk stands: a service, and which of its needs comes next.
        let mut way: Vec<(usize, usize)> = Vec::new();
        for start in 0..count {
            if marks[start] == Mark::Unseen {
                marks[start] = Mark::OnTheWay;
                way.push((start, 0));
            }
            while let Some((at, next)) = way.last_mut() {
                let Some(need) = self.need(*at, *next) else {
                    marks[*at] = Mark::Done;
                    order.push(*at);
                    way.pop();
                    continue;
                };
                *next += 1;
                match marks[need] {
                    Mark::Done => {}
                    Mark::Unseen => {
                        marks[need] = Mark::OnTheWay;
                        way.push((need, 0));
                    }
                    Mark::OnTheWay => {
                        let circle = way.iter().map(|(at, _)| *at).skip_while(|at| *at != need);
                        return Err(circle.collect());
                    }
                }
            }
        }
        Ok(order)
    }

    fn need(&self, at: usize, number: usize) -> Option<usize> {
        let requires = &self.requires[at];
        requires.get(number).or_else(|| self.wants[at].get(number - requires.len().min(number))).copied()
    }
}

fn add(places: &mut Vec<usize>, place: usize) {
    if !places.contains(&place) {
        places.push(place);
    }
}

fn unknown(node: &Node, wanted: &Arc<str>, known: &[String]) -> GraphError {
    GraphError::Unknown { service: Arc::clone(&node.name), wanted: Arc::clone(wanted), known: known.join(", ") }
}

fn cycle(nodes: &[Node], path: &[usize]) -> GraphError {
    let closed = path.iter().chain(path.first());
    GraphError::Cycle(closed.map(|at| nodes[*at].name.to_string()).collect())
}

#[cfg(all(test, not(loom)))]
#[allow(clippy::unwrap_used, reason = "a test that unwraps says that this cannot fail here")]
mod tests {
    use super::*;

    fn node(name: &str, requires: &[&str], wants: &[&str]) -> Node {
        let names = |names: &[&str]| names.iter().map(|name| Arc::from(*name)).collect();
        Node { name: name.into(), requires: names(requires), wants: names(wants) }
    }

    #[test]
    fn everybody_comes_after_what_it_needs() {
        let nodes = [node("a", &["c"], &["b"]), node("b", &["c"], &[]), node("c", &[], &[])];
        let graph = Graph::of(&nodes, &[]).unwrap();
        assert_eq!(graph.order(), [2, 1, 0]);
        assert_eq!(graph.dependents(2), [0, 1]);
    }

    #[test]
    fn a_circle_is_shown_with_its_path() {
        let nodes = [node("x", &["a"], &[]), node("a", &["b"], &[]), node("b", &[], &["c"]), node("c", &["a"], &[])];
        let told = Graph::of(&nodes, &[]).unwrap_err().to_string();
        assert_eq!(told, "dependency cycle: a -> b -> c -> a: none of these can start first");
    }

    #[test]
    fn who_needs_itself_is_a_circle() {
        let told = Graph::of(&[node("a", &["a"], &[])], &[]).unwrap_err();
        assert_eq!(told, GraphError::Cycle(vec!["a".into(), "a".into()]));
    }

    #[test]
    fn a_required_service_that_is_not_there_is_named() {
        let told = Graph::of(&[node("b", &["nope"], &[])], &["a".into(), "b".into()]).unwrap_err().to_string();
        assert_eq!(told, "service \"b\" requires \"nope\", which is not registered; registered are: a, b");
    }

    #[test]
    fn a_wanted_service_that_is_not_there_is_done_without() {
        let graph = Graph::of(&[node("a", &[], &["nope"])], &[]).unwrap();
        assert_eq!(graph.absent(), [(0, "nope".into())]);
    }

    #[test]
    fn what_is_named_twice_counts_once() {
        let graph = Graph::of(&[node("a", &["b", "b"], &["b"]), node("b", &[], &[])], &[]).unwrap();
        assert_eq!((graph.requires(0), graph.dependents(1)), (&[1][..], &[0][..]));
    }

    #[test]
    fn a_chain_of_a_hundred_thousand_needs_no_stack() {
        let nodes: Vec<_> = (0..100_000_u32)
            .map(|at| Node {
                name: at.to_string().into(),
                requires: if at == 0 { Vec::new() } else { vec![(at - 1).to_string().into()] },
                wants: Vec::new(),
            })
            .rev()
            .collect();
        assert_eq!(Graph::of(&nodes, &[]).unwrap().order().len(), 100_000);
    }
}
