//! Decimal numbers, as leniently as the dialect's values say.

use std::net::Ipv4Addr;

use super::cursor::Cursor;
use crate::SyntaxFault;
use crate::dialect::{Dialect, EmptyNumbers, LeadingZeros, Octets};

/// How many of a PORT's or 227's numbers are the address's; the others are the port's.
pub(super) const ADDRESS_OCTETS: usize = 4;

/// `N` numbers with one of `separators` between them, as the dialect takes octets: an address and, behind it, a port's.
pub(super) fn read_octets<const N: usize>(
    cursor: &mut Cursor<'_>,
    separators: &[u8],
    dialect: &Dialect,
) -> Result<[u32; N], SyntaxFault> {
    let is_separator = |octet: &u8| separators.contains(octet);
    let mut octets = [0_u32; N];
    for (index, octet) in octets.iter_mut().enumerate() {
        if index > 0 {
            let next = cursor.peek().ok_or(SyntaxFault::CutOff)?;
            if !is_separator(&next) {
                return Err(SyntaxFault::NotANumber);
            }
            cursor.at += 1;
        }
        let number = read_number(cursor, index >= ADDRESS_OCTETS, dialect)?;
        *octet = match dialect.octets {
            Octets::Malformed if number.exact > 255 => return Err(SyntaxFault::NumberTooLarge),
            Octets::Malformed | Octets::Unchecked => number.wrapped,
            Octets::Modulo256 => number.wrapped & 255,
        };
    }
    // Where a number may be missing, a separator behind the last one announces one too many.
    if dialect.empty_numbers == EmptyNumbers::Zero && cursor.peek().is_some_and(|next| is_separator(&next)) {
        return Err(SyntaxFault::NotANumber);
    }
    Ok(octets)
}

/// A decimal number of any length.
pub(super) struct Number {
    /// Its value, or the greatest there is.
    pub(super) exact: u64,
    /// Its value in 32 bits, as C's unsigned arithmetic has it.
    pub(super) wrapped: u32,
}

pub(super) fn read_number(
    cursor: &mut Cursor<'_>,
    is_of_port: bool,
    dialect: &Dialect,
) -> Result<Number, SyntaxFault> {
    let may_begin_with_zero = match dialect.leading_zeros {
        LeadingZeros::Accept => true,
        LeadingZeros::MalformedInAddress => is_of_port,
        LeadingZeros::Malformed => false,
    };
    let first = cursor.peek();
    let mut number = Number { exact: 0, wrapped: 0 };
    let mut digits = 0_usize;
    while let Some(octet) = cursor.peek().filter(u8::is_ascii_digit) {
        let digit = octet - b'0';
        number.exact = number.exact.saturating_mul(10).saturating_add(u64::from(digit));
        number.wrapped = number.wrapped.wrapping_mul(10).wrapping_add(u32::from(digit));
        digits += 1;
        cursor.at += 1;
    }
    match (digits, first) {
        (0, None) => Err(SyntaxFault::CutOff),
        (0, Some(_)) if dialect.empty_numbers == EmptyNumbers::Malformed => Err(SyntaxFault::NotANumber),
        (2.., Some(b'0')) if !may_begin_with_zero => Err(SyntaxFault::LeadingZero),
        _ => Ok(number),
    }
}

/// Four numbers as an address. What is over 255 falls into the number to its left.
pub(super) fn address([a, b, c, d]: [u32; 4]) -> Ipv4Addr {
    Ipv4Addr::from((a << 24) | (b << 16) | (c << 8) | d)
}

pub(super) fn low_half(number: u32) -> u16 {
    let [_, _, high, low] = number.to_be_bytes();
    u16::from_be_bytes([high, low])
}
