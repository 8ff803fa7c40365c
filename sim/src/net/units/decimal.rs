//! Decimal fractions as whole numbers of a smaller unit.

use std::fmt;

/// Why a number is not a whole number of the smaller unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DecimalError {
    /// It is no number at all.
    Malformed,
    /// It lies between two whole numbers.
    TooFine,
    /// It does not fit.
    TooLarge,
}

/// Reads `digits` or `digits.digits` as a number of units, each of which is `unit` smaller ones.
pub(super) fn parse(text: &str, unit: u64) -> Result<u64, DecimalError> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return Err(DecimalError::Malformed);
    }
    let whole = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(unit));
    let whole = whole.ok_or(DecimalError::TooLarge)?;
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() {
        return Ok(whole);
    }
    // No unit has more than eighteen zeros, so more digits can never come out whole.
    let places = u32::try_from(fraction.len()).ok().filter(|&places| places <= 18);
    let (places, digits) = places.zip(fraction.parse::<u128>().ok()).ok_or(DecimalError::TooFine)?;
    let (product, divisor) = (digits * u128::from(unit), 10_u128.pow(places));
    if product % divisor != 0 {
        return Err(DecimalError::TooFine);
    }
    let part = u64::try_from(product / divisor).map_err(|_| DecimalError::TooLarge)?;
    whole.checked_add(part).ok_or(DecimalError::TooLarge)
}

/// Writes `amount` smaller units as a number of units, each of which is `unit` smaller ones: a power of ten, so that
/// the fraction ends.
pub(super) fn write(formatter: &mut fmt::Formatter<'_>, amount: u64, unit: u64) -> fmt::Result {
    let (whole, rest) = (amount / unit, amount % unit);
    if rest == 0 {
        return write!(formatter, "{whole}");
    }
    let width = unit.ilog10() as usize;
    let digits = format!("{rest:0width$}");
    write!(formatter, "{whole}.{}", digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::DecimalError::{Malformed, TooFine, TooLarge};
    use super::*;

    #[test]
    fn numbers_are_exact_or_refused() {
        assert_eq!(parse("0", 1000), Ok(0));
        assert_eq!(parse("12.345", 1000), Ok(12_345));
        assert_eq!(parse("12.34500", 1000), Ok(12_345));
        assert_eq!(parse("0.5", 60_000_000), Ok(30_000_000));
        assert_eq!(parse("18446744073709551615", 1), Ok(u64::MAX));
        assert_eq!(parse("12.3456", 1000), Err(TooFine));
        assert_eq!(parse("0.0000000000000000000000000000000000000000000001", 1000), Err(TooFine));
        assert_eq!(parse("18446744073709551616", 1), Err(TooLarge));
        assert_eq!(parse("18446744073709551.616", 1000), Err(TooLarge));
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "1 ", "١"] {
            assert_eq!(parse(text, 1000), Err(Malformed), "{text}");
        }
    }
}
