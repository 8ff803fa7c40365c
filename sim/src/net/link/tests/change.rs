use super::*;

#[test]
fn packets_under_way_keep_their_times_and_the_next_waits_for_them() {
    let mut link = link("delay = '100 ms'");
    assert_eq!(link.send(at(0), 100), intact(100_000));
    link.change(&spec("delay = '10 ms'"));
    assert_eq!(link.send(at(1000), 100), intact(100_000));
    assert_eq!(link.send(at(95_000), 100), intact(105_000));
}

#[test]
fn a_queue_keeps_what_it_holds_when_the_rate_changes() {
    let mut link = link("rate = '10 kbit/s'\nqueue = 5");
    assert_eq!(link.send(at(0), 1250), intact(1_000_000));
    assert_eq!(link.send(at(0), 1250), intact(2_000_000));
    assert_eq!(link.send(at(0), 1250), intact(3_000_000));
    link.change(&spec("rate = '100 kbit/s'\nqueue = 3"));
    assert_eq!(link.send(at(0), 1250), intact(3_100_000));
    assert_eq!(link.send(at(0), 1250).loss(), Some(LinkLoss::QueueFull { packets: 3 }));
    // Without a rate there is no queue any more, but still one link.
    link.change(&LinkSpec::default());
    assert_eq!(link.send(at(500_000), 1250), intact(3_100_000));
    assert_eq!(link.send(at(4_000_000), 1250), intact(4_000_000));
}

#[test]
fn a_link_goes_down_and_up() {
    let mut link = link("delay = '10 ms'");
    assert_eq!(link.send(at(0), 100), intact(10_000));
    link.change(&spec("delay = '10 ms'\ndown = true"));
    assert_eq!(link.send(at(1), 100).loss(), Some(LinkLoss::Down));
    link.change(&spec("delay = '10 ms'"));
    assert_eq!(link.send(at(2), 100), intact(10_002));
    assert_eq!(link.spec(), &spec("delay = '10 ms'"));
}

#[test]
fn a_burst_ends_with_its_model() {
    let certain = "burst-loss = { good-to-bad = 1, bad-to-good = 0 }";
    let mut link = link(certain);
    let is_lost = |link: &mut Link| link.send(at(0), 100).loss().is_some();
    assert!(!is_lost(&mut link) && is_lost(&mut link));
    link.change(&LinkSpec::default());
    assert!(!is_lost(&mut link));
    link.change(&spec(certain));
    assert!(!is_lost(&mut link) && is_lost(&mut link));
}

/// Which of a thousand packets are lost by chance, if the link becomes `later` after the first hundred.
fn lost(first: &str, later: &str) -> Vec<usize> {
    let mut link = link(first);
    let mut lost = Vec::new();
    for number in 0..1000 {
        if number == 100 {
            link.change(&spec(later));
        }
        let sent = link.send(at(i64::try_from(number).unwrap() * 1000), 100);
        if matches!(sent.loss(), Some(LinkLoss::Random | LinkLoss::Burst)) {
            lost.push(number);
        }
    }
    lost
}

#[test]
fn no_effect_changes_which_packets_another_hits() {
    let loss = "loss = '10%'";
    let burst = "burst-loss = { good-to-bad = '5%', bad-to-good = '30%' }";
    let others = "duplicate = '50%'\ncorrupt = '50%'\nreorder = '50%'\njitter = '5 ms'\ndelay = '1 ms'\nrate = '10 Mbit/s'";
    for loss in [loss, burst] {
        let alone = lost(loss, loss);
        assert!((50..300).contains(&alone.len()), "{}", alone.len());
        assert_eq!(lost(&format!("{others}\n{loss}"), loss), alone);
        assert_eq!(lost(loss, &format!("{others}\n{loss}")), alone);
    }
    // The same packets are hit later if nothing was drawn, or nothing let in, for those before.
    let later: Vec<usize> = lost(loss, loss).into_iter().filter(|number| *number >= 100).collect();
    assert_eq!(lost("", loss), later);
    assert_eq!(lost("down = true", loss), later);
    let burst_later: Vec<usize> = lost(burst, burst).into_iter().filter(|number| *number >= 100).collect();
    assert_eq!(lost(&format!("mtu = 68\n{burst}"), burst), burst_later);
}
