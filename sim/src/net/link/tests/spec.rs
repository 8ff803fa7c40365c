use std::num::NonZeroU64;

use super::*;
use crate::net::link::{BurstLoss, LinkSpecError};
use crate::net::units::{Mtu, Probability, Rate, TimeSpan};

const ALL: &str = "
delay = '20 ms'
jitter = '5ms'
loss = '1%'
burst-loss = { good-to-bad = '0.1%', bad-to-good = '25%', loss-in-bad = 0.8, loss-in-good = 0.001 }
reorder = 0.02
duplicate = '3%'
corrupt = 4e-2
rate = '1.5 Mbit/s'
queue = 50
mtu = 1492
down = true
";

fn probability(text: &str) -> Probability {
    text.parse().unwrap()
}

#[test]
fn every_field_is_read() {
    let burst_loss = BurstLoss {
        good_to_bad: probability("0.1%"),
        bad_to_good: probability("25%"),
        loss_in_bad: probability("80%"),
        loss_in_good: probability("0.1%"),
    };
    let read = LinkSpec {
        delay: TimeSpan::from_micros(20_000),
        jitter: TimeSpan::from_micros(5000),
        loss: probability("1%"),
        burst_loss: Some(burst_loss),
        reorder: probability("2%"),
        duplicate: probability("3%"),
        corrupt: probability("4%"),
        rate: NonZeroU64::new(1_500_000).map(Rate::from_bits_per_second),
        queue: Some(50),
        mtu: Some(Mtu::try_from(1492).unwrap()),
        down: true,
    };
    assert_eq!(spec(ALL), read);
    assert_eq!(read.check(), Ok(()));
}

#[test]
fn it_reads_what_it_writes() {
    for spec in [spec(ALL), LinkSpec::default()] {
        let toml = toml::to_string(&spec).unwrap();
        assert_eq!(toml::from_str::<LinkSpec>(&toml).unwrap(), spec, "{toml}");
        let json = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<LinkSpec>(&json).unwrap(), spec, "{json}");
    }
}

#[test]
fn nothing_said_is_perfect() {
    assert_eq!(spec(""), LinkSpec::default());
    let burst = spec("burst-loss = { good-to-bad = '1%', bad-to-good = '50%' }").burst_loss.unwrap();
    assert_eq!((burst.loss_in_bad, burst.loss_in_good), (Probability::ALWAYS, Probability::NEVER));
}

#[test]
fn what_is_no_link_is_refused_with_what_helps() {
    let refused = |toml: &str| toml::from_str::<LinkSpec>(toml).unwrap_err().to_string();
    for (toml, helps) in [
        ("delay = '10 m'", "`10 m` is no duration: write a number and us, ms, s, min or h"),
        ("delay = 10", "expected a duration as in \"250 ms\""),
        ("rate = '10 Mbps'", "write a number and bit/s, kbit/s, Mbit/s or Gbit/s"),
        ("loss = '101%'", "`101%` is more than certain"),
        ("mtu = 67", "IPv4 needs 68 at least"),
        ("latency = '10 ms'", "unknown field `latency`"),
        ("burst-loss = { good-to-bad = 1 }", "missing field `bad-to-good`"),
    ] {
        let refused = refused(toml);
        assert!(refused.contains(helps), "{refused}");
    }
}

#[test]
fn what_has_no_effect_is_told() {
    let check = |toml: &str| spec(toml).check();
    assert_eq!(check(""), Ok(()));
    assert_eq!(check("queue = 50"), Err(LinkSpecError::QueueWithoutRate));
    assert_eq!(check("queue = 50\nrate = '1 Mbit/s'"), Ok(()));
    assert_eq!(check("reorder = '1%'"), Err(LinkSpecError::ReorderWithoutDelay));
    assert_eq!(check("reorder = '1%'\njitter = '1 ms'"), Ok(()));
    let endless = "burst-loss = { good-to-bad = 1, bad-to-good = 0 }";
    assert_eq!(check(endless), Err(LinkSpecError::EndlessBurst));
}

#[test]
fn losses_say_why() {
    let told = |loss: LinkLoss| (loss.to_string(), serde_json::to_string(&loss).unwrap());
    for (loss, text, json) in [
        (LinkLoss::Random, "random loss", r#""random""#),
        (LinkLoss::Burst, "burst loss", r#""burst""#),
        (LinkLoss::QueueFull { packets: 50 }, "queue full (50 packets)", r#"{"queue-full":{"packets":50}}"#),
        (
            LinkLoss::TooBig { mtu: 1400 },
            "longer than the link's MTU (1400 bytes)",
            r#"{"too-big":{"mtu":1400}}"#,
        ),
        (LinkLoss::Down, "link down", r#""down""#),
    ] {
        assert_eq!(told(loss), (text.to_owned(), json.to_owned()));
    }
}

#[test]
fn the_schema_has_every_field_and_no_other() {
    let schema = schemars::schema_for!(LinkSpec).to_value();
    let written = serde_json::to_value(spec(ALL)).unwrap();
    let names = |object: &serde_json::Value| object.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&schema["properties"]), names(&written));
    assert_eq!(schema["additionalProperties"], false);
    assert!(schema.get("required").is_none());
    assert_eq!(names(&schema["$defs"]), ["BurstLoss", "Mtu", "Probability", "Rate", "TimeSpan"]);
    assert_eq!(schema["properties"]["delay"]["default"], "0 s");
}
