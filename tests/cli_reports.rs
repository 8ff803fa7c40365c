//! What `quirknat run` and `quirknat merge` report, in each shape, whole and in parts, to readers that stay or go away.

#[expect(dead_code, unreachable_pub, reason = "a lab for several test programs, each of which uses its part")]
mod support;

mod reports {
    pub(crate) mod divided;
    pub(crate) mod ended_early;
    pub(crate) mod program;
    pub(crate) mod shapes;
    pub(crate) mod terminal;
}
