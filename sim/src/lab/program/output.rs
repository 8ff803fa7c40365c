//! What a program writes to one stream, up to a limit.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

/// Octets at a time.
const PIECE: usize = 16 * 1024;
/// Pieces a turn, so that one program cannot keep the lab's thread to itself.
const TURN: usize = 16;
/// Pieces at the end: no pipe holds more, as root may make one of 2^31 octets at most.
const REST: usize = (1 << 31) / PIECE;

#[derive(Debug)]
pub(super) struct Output {
    /// `None` after its end, and after too much.
    pipe: Option<File>,
    taken: Vec<u8>,
    limit: usize,
    over: bool,
}

impl Output {
    pub(super) fn new(limit: usize) -> Self {
        Self { pipe: None, taken: Vec::new(), limit, over: false }
    }

    pub(super) fn read_from(&mut self, pipe: Option<OwnedFd>) -> io::Result<()> {
        if let Some(pipe) = &pipe {
            fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        self.pipe = pipe.map(File::from);
        Ok(())
    }

    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(|pipe| pipe.as_fd())
    }

    /// Whether more was written than the limit.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Takes in what is there, or a good part of it.
    pub(super) fn take_in(&mut self) {
        self.take_pieces(TURN);
    }

    /// Takes in the rest. All writers are gone.
    pub(super) fn finish(&mut self) {
        self.take_pieces(REST);
        self.pipe = None;
    }

    pub(super) fn taken(&self) -> &[u8] {
        &self.taken
    }

    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.taken)
    }

    fn take_pieces(&mut self, count: usize) {
        let mut piece = [0; PIECE];
        for _ in 0..count {
            let Some(pipe) = &mut self.pipe else { return };
            match pipe.read(&mut piece) {
                Ok(0) => self.pipe = None,
                Ok(count) => {
                    let room = self.limit.saturating_sub(self.taken.len());
                    self.taken.extend(piece.iter().take(count.min(room)));
                    if count > room {
                        self.over = true;
                        self.pipe = None;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.pipe = None,
            }
        }
    }
}
