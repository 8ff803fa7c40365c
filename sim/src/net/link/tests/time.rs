use proptest::prelude::*;

use super::*;

#[test]
fn a_constant_delay_is_added() {
    let mut link = link("delay = '10 ms'");
    assert_eq!(link.send(at(0), 1500), intact(10_000));
    assert_eq!(link.send(at(3), 40), intact(10_003));
}

#[test]
fn a_rate_transmits_one_after_the_other_and_drops_what_the_queue_cannot_hold() {
    // A packet takes a second.
    let mut link = link("rate = '10 kbit/s'\nqueue = 2\ndelay = '1 ms'");
    assert_eq!(link.send(at(0), 1250), intact(1_001_000));
    assert_eq!(link.send(at(0), 1250), intact(2_001_000));
    assert_eq!(link.send(at(0), 1250), intact(3_001_000));
    assert_eq!(link.send(at(0), 1250).loss(), Some(LinkLoss::QueueFull { packets: 2 }));
    assert_eq!(link.send(at(999_999), 1250).loss(), Some(LinkLoss::QueueFull { packets: 2 }));
    // The second is at the transmitter now, and has left a place.
    assert_eq!(link.send(at(1_000_000), 1250), intact(4_001_000));
    assert_eq!(link.send(at(1_000_000), 1250).loss(), Some(LinkLoss::QueueFull { packets: 2 }));
    // All is quiet again.
    assert_eq!(link.send(at(9_000_000), 125), intact(9_101_000));
}

#[test]
fn a_queue_of_none_takes_what_finds_the_transmitter_idle() {
    let mut link = link("rate = '10 kbit/s'\nqueue = 0");
    assert_eq!(link.send(at(0), 1250), intact(1_000_000));
    assert_eq!(link.send(at(1), 1250).loss(), Some(LinkLoss::QueueFull { packets: 0 }));
    assert_eq!(link.send(at(1_000_000), 1250), intact(2_000_000));
}

#[test]
fn a_queue_holds_a_thousand_unless_told() {
    let mut link = link("rate = '1 kbit/s'");
    let taken = (0..1100).filter(|_| link.send(at(0), 100).arrival().is_some()).count();
    assert_eq!(taken, 1001);
}

#[test]
fn fast_links_do_not_round_to_microseconds_packet_by_packet() {
    // 40 bytes at 1 Gbit/s take 320 ns.
    let mut link = link("rate = '1 Gbit/s'");
    let last = (0..1000).map(|_| link.send(at(0), 40)).last();
    assert_eq!(last, Some(intact(320)));
    assert_eq!(link.send(at(1000), 40), intact(1001));
}

#[test]
fn a_packet_longer_than_the_mtu_is_lost_and_takes_no_time() {
    let mut link = link("mtu = 1400\nrate = '10 kbit/s'");
    assert_eq!(link.mtu(), Some(1400));
    assert_eq!(link.send(at(0), 1401).loss(), Some(LinkLoss::TooBig { mtu: 1400 }));
    assert_eq!(link.send(at(0), 1400), intact(1_120_000));
}

#[test]
fn times_at_the_end_of_the_clock_stay_there() {
    let mut link = link("delay = '876600h'\njitter = '876600h'\nrate = '1 bit/s'");
    let end = Instant::from_micros(i64::MAX);
    assert_eq!(link.send(end, usize::MAX).arrival().unwrap().at, end);
    assert_eq!(link.send(end, usize::MAX).arrival().unwrap().at, end);
}

/// Packets as (microseconds since the one before, length).
fn packets() -> impl Strategy<Value = Vec<(i64, usize)>> {
    prop::collection::vec((prop_oneof![Just(0), 0_i64..20_000], 0_usize..2000), 1..200)
}

fn send_all(link: &mut Link, packets: &[(i64, usize)]) -> Vec<(i64, Carried)> {
    let mut now = 0;
    let send = |&(gap, length): &(i64, usize)| {
        now += gap;
        (now, link.send(at(now), length))
    };
    packets.iter().map(send).collect()
}

proptest! {
    #[test]
    fn the_perfect_link_changes_nothing(packets in packets(), seed: u64) {
        let mut link = Link::new(&LinkSpec::default(), seed);
        for (now, carried) in send_all(&mut link, &packets) {
            prop_assert_eq!(carried, intact(now));
        }
    }

    #[test]
    fn jitter_alone_keeps_the_order(packets in packets(), seed: u64, delay in 0_u32..50, jitter in 0_u32..50) {
        let toml = format!("delay = '{delay} ms'\njitter = '{jitter} ms'\nduplicate = '20%'\nloss = '5%'");
        let mut link = Link::new(&spec(&toml), seed);
        let (delay, jitter) = (i64::from(delay) * 1000, i64::from(jitter) * 1000);
        let mut last = at(0);
        for (now, carried) in send_all(&mut link, &packets) {
            for arrival in [carried.arrival(), carried.duplicate()].into_iter().flatten() {
                prop_assert!(arrival.at >= last);
                prop_assert!(arrival.at >= at(now.max(now + delay - jitter)));
                prop_assert!(arrival.at <= at(now + delay + jitter));
                last = arrival.at;
            }
        }
    }

    #[test]
    fn a_rate_and_its_queue_are_never_exceeded(
        packets in packets(), seed: u64, rate in 1_000_u64..100_000_000, queue in 0_u32..20,
    ) {
        let toml = format!("rate = '{rate} bit/s'\nqueue = {queue}\nduplicate = '30%'");
        let mut link = Link::new(&spec(&toml), seed);
        let mut through: Vec<i64> = Vec::new();
        let mut bits = 0;
        for ((now, carried), (_, length)) in send_all(&mut link, &packets).into_iter().zip(&packets) {
            for arrival in [carried.arrival(), carried.duplicate()].into_iter().flatten() {
                bits += u64::try_from(*length).unwrap() * 8;
                through.push(arrival.at.total_micros());
            }
            // At the transmitter or waiting for it; one more for the rounding up of what has just left.
            let inside = through.iter().filter(|left| **left > now + 1).count();
            prop_assert!(inside <= usize::try_from(queue).unwrap() + 1);
            if carried.loss().is_some() {
                prop_assert_eq!(carried.loss(), Some(LinkLoss::QueueFull { packets: queue }));
                let inside = through.iter().filter(|left| **left > now).count();
                prop_assert!(inside > usize::try_from(queue).unwrap());
            }
        }
        let first = packets[0].0;
        let took = u128::try_from(through.last().unwrap() - first).unwrap();
        prop_assert!(took * u128::from(rate) >= u128::from(bits) * 1_000_000);
    }

    #[test]
    fn a_busy_transmitter_is_never_idle(rate in 1_000_u64..10_000_000_000, length in 1_u64..9000, count in 1_u64..500) {
        let mut link = link(&format!("rate = '{rate} bit/s'"));
        let last = (0..count).map(|_| link.send(at(0), usize::try_from(length).unwrap())).last();
        let took = u128::try_from(last.unwrap().arrival().unwrap().at.total_micros()).unwrap();
        let exact = (u128::from(count * length * 8) * 1_000_000).div_ceil(u128::from(rate));
        // Less than a nanosecond lost for each packet.
        prop_assert!((exact..=exact + 1).contains(&took), "{} instead of {}", took, exact);
    }
}
