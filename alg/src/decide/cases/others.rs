//! EPRT and the replies.

use super::*;

cases! {
    case_28_eprt: Client inside, all(),
        [Client("EPRT |1|192.168.1.100|50000|\r\n"), Client("EPRT !1!192.168.1.100!50000!\r\n")] {
        { commands: vec![Command::Port] } => "left CommandNotInDialect | left CommandNotInDialect",
        {} => "open 50000 | open 50000",
        { extended_delimiter: ExtendedDelimiter::Bar } => "open 50000 | open 50000",
        { extended_delimiter: ExtendedDelimiter::BarOnly } => "open 50000 | left Malformed(NotANumber)",
        { extended_delimiter: ExtendedDelimiter::Unread, extended_line_end: LineEnd::NonDigit }
            => "open 50000 | open 50000",
    }
    case_28_eprt_of_another_family: Client inside, all(),
        [Client("EPRT |2|fd00::2|50000|\r\n"), Client("EPRT |12|192.168.1.100|50000|\r\n")] {
        {} => "left Malformed(OtherAddressFamily) | left Malformed(NotANumber)",
        { extended_delimiter: ExtendedDelimiter::Unread }
            => "left Malformed(OtherAddressFamily) | left Malformed(OtherAddressFamily)",
    }
    case_28_eprt_with_commas: Client inside, all(),
        [Client("EPRT |1|192,168,1,100|50000|\r\n"), Client("EPRT 1: 192,168,1,100,50000\r\n")] {
        {} => "left Malformed(NotANumber) | left Malformed(NotANumber)",
        { extended_address: ExtendedAddress::Commas } => "open 50000 | left Malformed(NotANumber)",
        {
            extended_address: ExtendedAddress::Commas,
            extended_delimiter: ExtendedDelimiter::Unread,
            extended_line_end: LineEnd::None,
        }
            => "open 50000 | open 50000",
    }
    case_28_eprt_with_a_comma_before_the_port: Client inside, all(),
        [Client("EPRT |1|192.168.1.100,50000\r\n"), Client("EPRT |1|192.168.1.100.50000\r\n")] {
        { extended_address: ExtendedAddress::Commas, extended_delimiter: ExtendedDelimiter::Unread }
            => "left Malformed(NotANumber) | left Malformed(NotANumber)",
    }
    case_28_eprt_without_a_line_end: Client inside, all(),
        [Client("EPRT |1|192.168.1.100|50000|"), Client("EPRT |1|192.168.1.100|50000")] {
        {} => "left Malformed(CutOff) | left Malformed(CutOff)",
        { line_end: LineEnd::None } => "left Malformed(CutOff) | left Malformed(CutOff)",
        { extended_line_end: LineEnd::None } => "open 50000 | left Malformed(CutOff)",
    }
    case_28_eprt_of_port_0: Client inside, all(),
        [Client("EPRT |1|192.168.1.100|0|\r\n"), Client("EPRT |1|192.168.1.2|0|\r\n"), Client(ZERO)] {
        {} => "left PortZero | left ThirdPartyAddress | left PortZero",
        { extended_port_zero: ExtendedPortZero::Malformed }
            => "left Malformed(PortZero) | left Malformed(PortZero) | left PortZero",
    }
    case_29_a_227_without_numbers: Server inside, all(), [Server("227 Logout.\r\n")] {
        { commands: vec![Command::Port] } => "left CommandNotInDialect",
        {} => "left Malformed(NotANumber)",
        { malformed: Malformed::Drop } => "dropped Malformed(NotANumber)",
        { malformed: Malformed::Drop, replies_read: RepliesRead::Asked } => "left Unasked",
        { malformed: Malformed::Drop, keyword_position: KeywordPosition::TailAnywhere }
            => "left KeywordPosition",
    }
    case_29_a_227_of_a_server_behind: Server inside, all(),
        [Server(OF_INSIDE), Client("PASV\r\n"), Server(OF_INSIDE), Server(OF_OUTSIDE)] {
        {} => "open 50000 | - | open 50000 | left ThirdPartyAddress",
        { replies_read: RepliesRead::Asked } => "left Unasked | - | open 50000 | left Unasked",
        { reply_end: ReplyEnd::Parenthesis } => "open 50000 | - | open 50000 | left ThirdPartyAddress",
        { third_party: ThirdParty::UseSender } => "open 50000 | - | open 50000 | open 50000",
    }
    case_29_a_227_in_other_words: Server inside, all(),
        [
            Server("227 =192,168,1,100,195,80\r\n"),
            Server("227-ok (192,168,1,100,195,80)\r\n"),
            Server("227 Entering (a) (192,168,1,100,195,80)\r\n"),
        ] {
        { reply_scan: ReplyScan::FirstDigit } => "open 50000 | - | open 50000",
        { reply_scan: ReplyScan::FirstDigitBehindBlank } => "open 50000 | open 50000 | open 50000",
        { reply_scan: ReplyScan::Parenthesis }
            => "left Malformed(NotANumber) | open 50000 | left Malformed(NotANumber)",
        { reply_scan: ReplyScan::LastParenthesis } => "left Malformed(NotANumber) | - | open 50000",
        { reply_scan: ReplyScan::Phrase } => "left Malformed(NotANumber) | - | left Malformed(NotANumber)",
    }
    case_29_a_229_in_other_words: Server inside, all(),
        [Server("229 Extended (|||50000|)\r\n"), Server("229 Port 50000\r\n")] {
        {} => "open 50000 | left Malformed(NotANumber)",
        { reply_scan: ReplyScan::FirstDigitBehindBlank, extended_delimiter: ExtendedDelimiter::Unread }
            => "open 50000 | open 50000",
    }
    case_29_a_229_without_a_parenthesis: Server inside, all(),
        [Server("229 Extended (|||50000|"), Server("227 (192,168,1,100,195,80")] {
        {} => "open 50000 | open 50000",
        { reply_end: ReplyEnd::AnyOctet } => "open 50000 | left Malformed(CutOff)",
        { extended_reply_end: ReplyEnd::AnyOctet } => "left Malformed(CutOff) | open 50000",
    }
    case_29_a_227_of_a_server_outside: Client inside, all(),
        [Client("PASV\r\n"), Server(OF_OUTSIDE), Server(OF_INSIDE)] {
        {} => "- | left SentFromOutside | left SentFromOutside",
        { announcements_from: AnnouncementsFrom::EitherSide }
            => "- | restated 50000 | left ThirdPartyAddress",
        { announcements_from: AnnouncementsFrom::EitherSide, third_party: ThirdParty::DropUnlessExternal }
            => "- | restated 50000 | dropped ThirdPartyAddress",
    }
    case_29_a_227_without_numbers_from_outside: Client inside, all(), [Server("227 Logout.\r\n")] {
        { malformed: Malformed::Drop } => "left SentFromOutside",
        { malformed: Malformed::Drop, announcements_from: AnnouncementsFrom::EitherSide }
            => "dropped Malformed(NotANumber)",
    }
    case_29_a_227_of_the_client: Client inside, all(),
        [Client(OF_INSIDE), Server(P), Server("200 PORT command successful\r\n")] {
        {} => "- | - | -",
        { wrong_role: WrongRole::Read } => "open 50000 | left SentFromOutside | -",
        { wrong_role: WrongRole::Read, keyword_position: KeywordPosition::TailAnywhere }
            => "open 50000 | left SentFromOutside | -",
        { wrong_role: WrongRole::EndSession } => "ended WrongRole | ended WrongRole | -",
    }
}
