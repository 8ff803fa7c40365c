//! Lines that are not yet complete, for a router that waits until they are (RFC 6384 §5).

use crate::{Dialect, Role};

impl Dialect {
    /// Whether what `role` has sent of a line may become one that this gateway acts on.
    pub fn may_act_on(&self, role: Role, line: &[u8]) -> bool {
        let commands = self.commands.iter().filter(|command| self.reads_from(role, **command));
        let masked = self.mask_commands.iter().filter(|_| role == Role::Client);
        commands
            .map(|command| command.keyword())
            .chain(masked.map(|mask| mask.keyword()))
            .any(|keyword| may_become(keyword.as_bytes(), line))
    }
}

/// Whether `line` is the beginning of `keyword`, or `keyword` and what may follow it.
fn may_become(keyword: &[u8], line: &[u8]) -> bool {
    let length = keyword.len().min(line.len());
    let matches = |line: &[u8]| line.eq_ignore_ascii_case(keyword.get(..length).unwrap_or_default());
    line.get(..length).is_some_and(matches)
        && line.get(length).is_none_or(|next| !next.is_ascii_alphanumeric() && *next != b'-')
}

#[cfg(test)]
mod tests {
    use crate::Role::{Client, Server};
    use crate::testing::dialect;
    use crate::{Command, Mask};

    #[test]
    fn the_beginning_of_a_command_may_become_one() {
        let dialect = dialect();
        for line in ["P", "PO", "PORT", "port 1", "PORT 192,168,1,100,195,8"] {
            assert!(dialect.may_act_on(Client, line.as_bytes()), "{line}");
        }
        for line in ["Q", "PA", "PORTAL", "EPRT", " PORT", "227", "2"] {
            assert!(!dialect.may_act_on(Client, line.as_bytes()), "{line}");
        }
        assert!(!dialect.may_act_on(Server, b"PORT"));
    }

    #[test]
    fn a_reply_and_a_masked_command_are_waited_for_too() {
        let mut dialect = dialect();
        dialect.commands = vec![Command::Reply227];
        dialect.mask_commands = vec![Mask::Pasv];
        assert!(dialect.may_act_on(Server, b"22") && dialect.may_act_on(Server, b"227 Ent"));
        assert!(!dialect.may_act_on(Server, b"227-first") && !dialect.may_act_on(Server, b"226 "));
        assert!(dialect.may_act_on(Client, b"PAS") && !dialect.may_act_on(Client, b"PORT 1"));
    }
}
