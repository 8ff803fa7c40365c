//! What holds after any packets from anywhere, in any order, at any time.

mod behaviour;
mod damaged;
mod step;
mod world;

use proptest::collection::vec;
use proptest::prelude::{prop_assert_eq, proptest};

use behaviour::behaviour;
use step::step;
use world::World;

const TABLE: usize = 6;
const OPENINGS: usize = 2;
/// Timeouts of TCP, in seconds.
const ESTABLISHED: u32 = 250;
const CLOSING: u32 = 120;
const DMZ_HOST: &str = "192.168.1.102";
const FORWARDED: &str = "tcp/5003=192.168.1.101:5000";

proptest! {
    #[test]
    fn any_packets_keep_the_translations_apart_and_in_time(behaviour in behaviour(), steps in vec(step(), 1..80)) {
        let mut world = World::new(behaviour);
        for step in &steps {
            world.step(step)?;
        }
        // As long as the longest that a host can ask for by UPnP.
        world.lab.wait_seconds(3002);
        prop_assert_eq!(world.lab.translations(), []);
        prop_assert_eq!(world.lab.router.mappings(), 0);
        prop_assert_eq!(world.lab.router.poll_timeout(), None);
    }
}
