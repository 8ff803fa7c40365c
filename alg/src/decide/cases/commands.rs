//! PORT, and where it stands.

use super::*;

cases! {
    case_1_a_port: Client inside, dialect(), [Client(P)] {
        {} => "open 50000",
        { commands: vec![Command::Eprt] } => "left CommandNotInDialect",
        { after_login: true } => "open 50000",
        { keyword_position: KeywordPosition::AfterRememberedNewline } => "open 50000",
        { keyword_position: KeywordPosition::TailAnywhere } => "open 50000",
        { letter_case: LetterCase::Upper, line_end: LineEnd::CrlfEndsSegment } => "open 50000",
        { payload_lengths: Numbers { first: 18, last: 27 } } => "open 50000",
        { payload_lengths: Numbers { first: 18, last: 26 } } => "left SegmentLength",
        { octets_read: 27 } => "open 50000",
        { octets_read: 26 } => "left Malformed(CutOff)",
        { reaches: Reaches::SegmentButLastOctet } => "left Malformed(CutOff)",
        { reaches: Reaches::SegmentButLastOctet, line_end: LineEnd::Cr } => "open 50000",
    }
    case_4_the_port_again: Client inside, dialect(), [Client(P), Again(P)] {
        {} => "open 50000 | open 50000",
        { keyword_position: KeywordPosition::AfterRememberedNewline } => "open 50000 | open 50000",
        { keyword_position: KeywordPosition::AfterOwnCrlfSegment } => "open 50000 | open 50000",
        { keyword_position: KeywordPosition::LineStartOfSegment } => "open 50000 | open 50000",
    }
    case_5_the_port_again_with_a_list: Client inside, dialect(), [Client(P), Again(P_AND_LIST)] {
        {} => "open 50000 | open 50000",
        { trailing_octets: 7 } => "open 50000 | left Malformed(TrailingOctets)",
        { line_end: LineEnd::CrlfEndsSegment } => "open 50000 | left Malformed(LineEnd)",
    }
    case_9_the_keyword_in_two_segments: Client inside, dialect(),
        [Client("POR"), Client("T 192,168,1,100,195,80\r\n")] {
        {} => "- | -",
        { keyword_position: KeywordPosition::Anywhere } => "- | -",
        { cut_keyword: CutKeyword::Malformed } => "left Malformed(CutOff) | -",
        { cut_keyword: CutKeyword::Malformed, malformed: Malformed::Drop } => "dropped Malformed(CutOff) | -",
        { cut_keyword: CutKeyword::Malformed, malformed: Malformed::EndSession }
            => "ended Malformed(CutOff) | -",
    }
    case_9_the_first_letter_in_another_segment: Client inside, dialect(),
        [Client("P"), Client("ORT 192,168,1,100,195,80\r\n")] {
        {} => "- | -",
        { keyword_position: KeywordPosition::TailAnywhere } => "- | open 50000",
    }
    case_10_a_number_in_two_segments: Client inside, dialect(),
        [Client("PORT 192,168,1,100,195,8"), Client("0\r\n")] {
        {} => "left Malformed(CutOff) | -",
        { line_end: LineEnd::NonDigit } => "left Malformed(CutOff) | -",
        { line_end: LineEnd::None } => "open 49928 | -",
        { line_end: LineEnd::None, reaches: Reaches::SegmentButLastOctet } => "left Malformed(CutOff) | -",
        { malformed: Malformed::Drop } => "dropped Malformed(CutOff) | -",
    }
    case_12_a_noop_before_it: Client inside, dialect(), [Client(NOOP_AND_P)] {
        {} => "left KeywordPosition",
        { keyword_position: KeywordPosition::LineStartOfSegment } => "left KeywordPosition",
        { keyword_position: KeywordPosition::AfterRememberedNewline } => "left KeywordPosition",
        { keyword_position: KeywordPosition::AfterCrlfSegment } => "left KeywordPosition",
        { keyword_position: KeywordPosition::AnyLineStart } => "open 50000",
        { keyword_position: KeywordPosition::Anywhere } => "open 50000",
        { keyword_position: KeywordPosition::TailAnywhere } => "open 50000",
    }
    case_13_a_list_behind_it: Client inside, dialect(), [Client(P_AND_LIST)] {
        {} => "open 50000",
        { line_end: LineEnd::CrlfEndsSegment } => "left Malformed(LineEnd)",
        { trailing_octets: 8 } => "open 50000",
        { payload_lengths: Numbers { first: 18, last: 32 } } => "left SegmentLength",
    }
    case_14_a_body_that_a_segment_begins_in: Client inside, dialect(),
        [Client("POST / HTTP/1.1\r\n\r\nxxxxxxxx"), Client(P)] {
        {} => "- | open 50000",
        { keyword_position: KeywordPosition::LineStartOfSegment } => "- | left KeywordPosition",
        { keyword_position: KeywordPosition::AnyLineStart } => "- | left KeywordPosition",
        { keyword_position: KeywordPosition::AfterRememberedNewline } => "- | left KeywordPosition",
        { keyword_position: KeywordPosition::AfterCrlfSegment } => "- | left KeywordPosition",
        { keyword_position: KeywordPosition::AfterOwnCrlfSegment } => "- | left KeywordPosition",
        { keyword_position: KeywordPosition::Anywhere } => "- | open 50000",
        { foreign_lines: ForeignLines::StopWatching } => "- | left Foreign",
    }
    case_14_a_body_with_a_line_end_before_it: Client inside, dialect(),
        [Client("POST / HTTP/1.1\r\n\r\nxxxxxx\r\n"), Client(P)] {
        { keyword_position: KeywordPosition::LineStartOfSegment } => "- | open 50000",
        { keyword_position: KeywordPosition::AnyLineStart } => "- | open 50000",
        { keyword_position: KeywordPosition::AfterRememberedNewline } => "- | open 50000",
        { keyword_position: KeywordPosition::AfterCrlfSegment } => "- | open 50000",
        { foreign_lines: ForeignLines::StopWatching } => "- | left Foreign",
    }
    case_15_a_neighbours_address: Client inside, dialect(), [Client("PORT 192,168,1,101,195,80\r\n")] {
        { third_party: ThirdParty::Pass } => "left ThirdPartyAddress",
        { third_party: ThirdParty::Accept } => "open 192.168.1.101:50000",
        { third_party: ThirdParty::UseSender } => "open 50000",
        { third_party: ThirdParty::Drop } => "dropped ThirdPartyAddress",
        { third_party: ThirdParty::DropUnlessExternal } => "dropped ThirdPartyAddress",
        { third_party: ThirdParty::EndSession } => "ended ThirdPartyAddress",
    }
    case_16_the_wan_address: Client inside, dialect(), [Client("PORT 203,0,113,7,195,80\r\n")] {
        { third_party: ThirdParty::Pass } => "left ThirdPartyAddress",
        { third_party: ThirdParty::Accept } => "open 203.0.113.7:50000",
        { third_party: ThirdParty::UseSender } => "open 50000",
        { third_party: ThirdParty::Drop } => "dropped ThirdPartyAddress",
        { third_party: ThirdParty::DropUnlessExternal } => "open 50000",
        { third_party: ThirdParty::EndSession } => "ended ThirdPartyAddress",
    }
    case_17_port_22: Client inside, dialect(), [Client("PORT 192,168,1,100,0,22\r\n")] {
        { refused_port: RefusedPort::Pass } => "left RefusedPort",
        { refused_port: RefusedPort::Drop } => "dropped RefusedPort",
        { refused_port: RefusedPort::EndSession } => "ended RefusedPort",
        { refused_port: RefusedPort::RewriteOnly } => "rewritten 22",
        { refused_ports: Vec::new() } => "open 22",
    }
    case_17_port_6000: Client inside, dialect(), [Client("PORT 192,168,1,100,23,112\r\n")] {
        {} => "open 6000",
        { refused_ports: vec![Numbers { first: 1, last: 1023 }, Numbers { first: 6000, last: 6000 }] }
            => "left RefusedPort",
        { refused_ports: vec![Numbers { first: 6001, last: 6001 }] } => "open 6000",
    }
    case_17_port_0: Client inside, dialect(), [Client("PORT 192,168,1,100,0,0\r\n")] {
        { port_zero: PortZero::Pass } => "left PortZero",
        { port_zero: PortZero::Accept } => "open 0",
        { port_zero: PortZero::Drop } => "dropped PortZero",
        { port_zero: PortZero::EndSession } => "ended PortZero",
        { port_zero: PortZero::RewriteOnly } => "rewritten 0",
    }
    case_18_numbers_missing: Client inside, dialect(), [Client("PORT 192,168,1,100,,\r\n")] {
        { malformed: Malformed::Pass } => "left Malformed(NotANumber)",
        { malformed: Malformed::Drop } => "dropped Malformed(NotANumber)",
        { malformed: Malformed::EndSession } => "ended Malformed(NotANumber)",
        { empty_numbers: EmptyNumbers::Zero } => "left PortZero",
    }
    case_18_nothing_behind_the_word: Client inside, dialect(),
        [Client("PORT\r\n"), Client("PORT"), Client("\r\n")] {
        {} => "left Malformed(NotANumber) | left Malformed(CutOff) | -",
        { argument: Argument::AfterFirstBlank } => "left Malformed(NotANumber) | left Malformed(CutOff) | -",
        { argument: Argument::AfterOneBlank } => "- | left Malformed(CutOff) | -",
    }
    case_18_one_number_too_many: Client inside, dialect(), [Client("PORT 192,168,1,100,195,80,7\r\n")] {
        {} => "left Malformed(LineEnd)",
        { line_end: LineEnd::NonDigit } => "open 50000",
        { line_end: LineEnd::None, empty_numbers: EmptyNumbers::Zero } => "left Malformed(NotANumber)",
    }
    case_19_leading_zeros: Client inside, dialect(),
        [Client("PORT 192,168,001,100,195,80\r\n"), Client("PORT 192,168,1,100,195,080\r\n")] {
        { leading_zeros: LeadingZeros::Accept } => "open 50000 | open 50000",
        { leading_zeros: LeadingZeros::Malformed }
            => "left Malformed(LeadingZero) | left Malformed(LeadingZero)",
        { leading_zeros: LeadingZeros::MalformedInAddress } => "left Malformed(LeadingZero) | open 50000",
    }
    case_19_an_octet_over_255: Client inside, dialect(),
        [Client("PORT 192,168,1,356,195,80\r\n"), Client("PORT 192,168,0,356,195,80\r\n")] {
        { octets: Octets::Malformed } => "left Malformed(NumberTooLarge) | left Malformed(NumberTooLarge)",
        { octets: Octets::Modulo256 } => "open 50000 | left ThirdPartyAddress",
        { octets: Octets::Unchecked } => "open 50000 | open 50000",
    }
    case_19_a_number_of_many_digits: Client inside, dialect(),
        [Client("PORT 192,168,1,100,195,4294967376\r\n")] {
        { octets: Octets::Malformed } => "left Malformed(NumberTooLarge)",
        { octets: Octets::Modulo256 } => "open 50000",
        { octets: Octets::Unchecked } => "open 50000",
    }
    case_20_letters: Client inside, dialect(),
        [Client("port 192,168,1,100,195,80\r\n"), Client("PoRt 192,168,1,100,195,80\r\n")] {
        { letter_case: LetterCase::Any } => "open 50000 | open 50000",
        { letter_case: LetterCase::Upper } => "left LetterCase | left LetterCase",
        { letter_case: LetterCase::UpperOrLower } => "open 50000 | left LetterCase",
        { keyword_position: KeywordPosition::TailAnywhere, letter_case: LetterCase::Upper }
            => "left KeywordPosition | left KeywordPosition",
        { keyword_position: KeywordPosition::TailAnywhere, letter_case: LetterCase::UpperOrLower }
            => "open 50000 | left KeywordPosition",
    }
    case_21_within_a_word: Client inside, dialect(),
        [Client("REPORT 192,168,1,100,195,80\r\n"), Client("SORT 192,168,1,100,195,80\r\n")] {
        {} => "- | -",
        { keyword_position: KeywordPosition::AnyLineStart } => "- | -",
        { keyword_position: KeywordPosition::Anywhere } => "open 50000 | -",
        { keyword_position: KeywordPosition::TailAnywhere } => "open 50000 | open 50000",
    }
    case_21_within_a_word_before_it: Client inside, dialect(),
        [Client("RETR EXPORT\r\nPORT 192,168,1,100,195,80\r\n")] {
        { keyword_position: KeywordPosition::Anywhere } => "open 50000",
        { keyword_position: KeywordPosition::TailAnywhere } => "left Malformed(NotANumber)",
        { keyword_position: KeywordPosition::TailAnywhere, commands: vec![Command::Reply227] }
            => "left CommandNotInDialect",
    }
    case_30_tls_and_a_record_that_begins_so: Client inside, dialect(),
        [Client("AUTH TLS\r\n"), Server("234 go\r\n"), Client("PORT of a record"), Client(P)] {
        { after_auth_tls: AfterAuthTls::GoOn } => "- | - | left Malformed(NotANumber) | open 50000",
        { after_auth_tls: AfterAuthTls::Stop } => "- | - | - | left Encrypted",
        { after_auth_tls: AfterAuthTls::Stop, malformed: Malformed::EndSession }
            => "- | - | - | left Encrypted",
        { after_auth_tls: AfterAuthTls::GoOn, malformed: Malformed::EndSession }
            => "- | - | ended Malformed(NotANumber) | open 50000",
    }
    case_31_nul_octets: Client inside, dialect(),
        [Client("PORT 192,168,1,100,195,80\0\r\n"), Client("NOOP\0\r\nPORT 192,168,1,100,195,80\r\n")] {
        {} => "left Malformed(LineEnd) | left KeywordPosition",
        { line_end: LineEnd::NonDigit, keyword_position: KeywordPosition::AnyLineStart }
            => "open 50000 | open 50000",
        { line_end: LineEnd::None, keyword_position: KeywordPosition::TailAnywhere }
            => "open 50000 | left KeywordPosition",
    }
    case_31_other_digits_in_the_same_place: Client inside, dialect(),
        [Client(P), Again("PORT 192,168,1,100,195,81\r\n")] {
        {} => "open 50000 | open 50001",
        { keyword_position: KeywordPosition::AfterRememberedNewline } => "open 50000 | open 50001",
    }
    case_31_a_long_line: Client inside, dialect(),
        [Client("STOR a-name-of-more-than-thirty-octets\r\n"), Client(P), Client("PORT 192,168,1,100,195,80 then more\r\n")] {
        {} => "- | open 50000 | left Malformed(LineEnd)",
        { line_limit: 30, line_end: LineEnd::None } => "- | open 50000 | open 50000",
        { line_limit: 30, line_end: LineEnd::None, long_line: LongLine::Unread }
            => "- | open 50000 | left LongLine",
        { line_limit: 30, long_line: LongLine::EndSession }
            => "ended LongLine | open 50000 | ended LongLine",
    }
    case_31_a_long_line_in_pieces: Client inside, dialect(),
        [Client("STOR a-name-of-more"), Client("-than-thirty"), Client("-octets\r\n"), Client(P)] {
        { line_limit: 30, long_line: LongLine::EndSession } => "- | ended LongLine | ended LongLine | open 50000",
    }
}
