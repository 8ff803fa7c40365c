//! Times as logs write them. Only their order and distance count: none is taken for a wall clock, and no time zone is
//! asked for.

use smoltcp::time::Instant;

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Takes a time off the front of `text`, with the brackets around it and the spaces behind it; without one, all of
/// `text` is left.
pub(super) fn take(text: &str) -> (Option<Instant>, &str) {
    for reader in [date_first, weekday_first, month_first, apache, only_time] {
        if let Some((at, rest)) = reader(text) {
            return (Some(at), rest.trim_start());
        }
    }
    (None, text)
}

/// `2026-11-25 21:51:20[.123]`, `2026-11-25T21:51:20.123Z`, `25/11/2026 21:51:20`, `11/25/2026 9:51:20 PM`, `2026/11/25 …`.
fn date_first(text: &str) -> Option<(Instant, &str)> {
    let (first, rest) = number(text)?;
    let separator = rest.chars().next().filter(|separator| "-/.".contains(*separator))?;
    let (second, rest) = number(rest.get(1..)?)?;
    let (third, rest) = number(rest.strip_prefix(separator)?)?;
    // Which of day and month comes first, no log says, unless one of them is above 12.
    let (year, month, day) = match (first, second) {
        (32.., _) => (first, second, third),
        (_, 13..) => (third, first, second),
        _ => (third, second, first),
    };
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (time, rest) = clock(rest.strip_prefix(['T', ' '])?)?;
    Some((instant(days(year, month, day), time), rest))
}

/// `Wed Nov 25 21:51:20 2026`.
fn weekday_first(text: &str) -> Option<(Instant, &str)> {
    let (_, rest) = text
        .split_once(' ')
        .filter(|(day, _)| ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(day))?;
    let (month, day, time, rest) = month_day_clock(rest)?;
    let (year, rest) = number(rest.strip_prefix(' ')?)?;
    (1970..=9999).contains(&year).then(|| (instant(days(year, month, day), time), rest))
}

/// `Nov 25 21:51:20`, as syslog writes it.
fn month_first(text: &str) -> Option<(Instant, &str)> {
    let (month, day, time, rest) = month_day_clock(text)?;
    Some((instant(days(1970, month, day), time), rest))
}

/// `[25/Nov/2026:21:51:28 +0000]`.
fn apache(text: &str) -> Option<(Instant, &str)> {
    let (day, rest) = number(text.strip_prefix('[')?)?;
    let (name, rest) = rest.strip_prefix('/')?.split_once('/')?;
    let month = month_of(name)?;
    let (year, rest) = number(rest)?;
    let (time, rest) = clock(rest.strip_prefix(':')?)?;
    let (_, rest) = rest.split_once(']')?;
    ((1970..=9999).contains(&year) && day <= 31).then(|| (instant(days(year, month, day), time), rest))
}

/// `21:51:20.123456`, or in brackets.
fn only_time(text: &str) -> Option<(Instant, &str)> {
    let bracketed = text.strip_prefix('[');
    let (time, rest) = clock(bracketed.unwrap_or(text))?;
    let rest = if bracketed.is_some() { rest.strip_prefix(']')? } else { rest };
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then_some((instant(0, time), rest))
}

fn month_day_clock(text: &str) -> Option<(i64, i64, i64, &str)> {
    let month = month_of(text.get(..3)?)?;
    let (day, rest) = number(text.get(3..)?.strip_prefix(' ')?.trim_start())?;
    let (time, rest) = clock(rest.strip_prefix(' ')?)?;
    (day <= 31).then_some((month, day, time, rest))
}

fn month_of(name: &str) -> Option<i64> {
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let place = names.iter().position(|known| *known == name)?;
    i64::try_from(place + 1).ok()
}

/// `21:51:20`, with a fraction of seconds, a `Z` and AM or PM where there are any; in microseconds.
fn clock(text: &str) -> Option<(i64, &str)> {
    let (hours, rest) = number(text)?;
    let (minutes, rest) = number(rest.strip_prefix(':')?)?;
    let (seconds, mut rest) = number(rest.strip_prefix(':')?)?;
    if hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    let mut micros = ((hours * 60 + minutes) * 60 + seconds) * MICROS_PER_SECOND;
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let kept = fraction.get(..digits.min(6))?;
        let scale = 10_i64.pow(u32::try_from(6 - kept.len()).ok()?);
        micros += kept.parse::<i64>().unwrap_or_default() * scale;
        rest = fraction.get(digits..)?;
    }
    rest = rest.strip_prefix('Z').unwrap_or(rest);
    if let Some(after) = rest.strip_prefix(" AM") {
        let noon = if hours == 12 { 12 } else { 0 };
        return Some((micros - noon * 3600 * MICROS_PER_SECOND, after));
    }
    if let Some(after) = rest.strip_prefix(" PM") {
        let noon = if hours < 12 { 12 } else { 0 };
        return Some((micros + noon * 3600 * MICROS_PER_SECOND, after));
    }
    Some((micros, rest))
}

/// Up to six digits off the front.
fn number(text: &str) -> Option<(i64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let value = text.get(..digits).filter(|digits| (1..=6).contains(&digits.len()))?.parse().ok()?;
    Some((value, text.get(digits..)?))
}

/// Days since 1970-01-01 of a Gregorian date (Howard Hinnant's days_from_civil).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn instant(days: i64, micros: i64) -> Instant {
    Instant::from_micros(days * SECONDS_PER_DAY * MICROS_PER_SECOND + micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_a_time_is_read_and_taken_off() {
        for text in [
            "2026-11-25 21:51:20 rest",
            "2026-11-25 21:51:20.5 rest",
            "2026-11-25 21:51:20,500 rest",
            "2026-11-25T21:51:20.045Z rest",
            "2026/11/25 21:51:20 rest",
            "25/11/2026 21:51:20 rest",
            "2/2/2025 9:51:20 PM rest",
            "Wed Nov 25 21:51:20 2026 rest",
            "Nov  5 21:51:20 rest",
            "[25/Nov/2026:21:51:28 +0000] rest",
            "21:51:20.123456 rest",
            "[21:51:20] rest",
        ] {
            let (at, rest) = take(text);
            assert!(at.is_some(), "{text}");
            assert_eq!(rest, "rest", "{text}");
            assert_eq!(at.unwrap().total_micros().rem_euclid(86_400_000_000) / 3_600_000_000, 21, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_stays() {
        for text in
            ["", "220 ready", "227 (1,2,3,4,5,6)", "25:61:00 x", "[pid 3] x", "Nov", "1.2.3.4 x", "é1:2:3"]
        {
            assert_eq!(take(text), (None, text));
        }
    }

    #[test]
    fn days_are_counted_as_the_calendar_does() {
        assert_eq!((days(1970, 1, 1), days(2000, 3, 1), days(2026, 11, 25)), (0, 11_017, 20_782));
        assert_eq!(days(2024, 3, 1) - days(2024, 2, 28), 2);
    }

    #[test]
    fn later_lines_have_later_times() {
        let order = ["2026-01-31 23:59:59 x", "2026-02-01 00:00:00.1 x", "2026-02-01 00:00:00.25 x"];
        let times: Vec<_> = order.map(|text| take(text).0.unwrap()).to_vec();
        assert!(times.is_sorted(), "{times:?}");
    }
}
