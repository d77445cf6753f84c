//! What work that became one is called.

/// Labels of more parts show their ends.
const MOST_PARTS: usize = 8;

/// The label of steps that run as one, first to last; a long line shows its ends.
///
/// # Examples
/// ```
/// use musher_graph_core::fused_label;
/// assert_eq!(fused_label(&["map", "filter"]), "map → filter");
/// assert_eq!(fused_label(&["add"; 10]), "add → … 8 … → add");
/// ```
pub fn fused_label<S: AsRef<str>>(parts: &[S]) -> String {
    match parts {
        [first, middle @ .., last] if parts.len() > MOST_PARTS => {
            format!("{} → … {} … → {}", first.as_ref(), middle.len(), last.as_ref())
        }
        parts => parts.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" → "),
    }
}
