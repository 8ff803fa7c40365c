//! Somebody who asks: what came, and what still has to go.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;

use crate::lab::control::{Answer, Request};

/// A question is shorter.
const LONGEST_REQUEST: usize = 4096;

#[derive(Debug)]
pub(super) struct Client {
    pub(super) stream: UnixStream,
    /// Has the way into a host. The connection stays as long as the program there.
    pub(super) inside: bool,
    request: Vec<u8>,
    answer: Vec<u8>,
    /// It asks nothing any more.
    over: bool,
}

impl Client {
    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { stream, inside: false, request: Vec::new(), answer: Vec::new(), over: false })
    }

    /// Whether an answer waits for it to be read. Nothing more is taken in until then.
    pub(super) fn is_behind(&self) -> bool {
        !self.answer.is_empty()
    }

    /// Takes in what was asked, answers, and puts out what fits. False: it is gone, or to be sent away.
    pub(super) fn serve(&mut self, mut answer: impl FnMut(&Request) -> Answer) -> bool {
        if !self.put_out() {
            return false;
        }
        if !self.is_behind() && !self.over && !self.take_in() {
            return false;
        }
        while !self.is_behind()
            && let Some(line) = self.next_line()
        {
            let answer = match serde_json::from_slice::<Request>(&line) {
                Ok(request) => {
                    let answer = answer(&request);
                    self.inside |= matches!(answer, Answer::Way(_));
                    answer
                }
                Err(error) => refusal(format!("not understood: {error}")),
            };
            self.answer(&answer);
            if !self.put_out() {
                return false;
            }
        }
        if self.request.len() > LONGEST_REQUEST && !self.is_behind() {
            self.answer(&refusal(format!("not understood: a request has {LONGEST_REQUEST} octets at most")));
            let _ = self.put_out();
            return false;
        }
        !self.over || self.is_behind()
    }

    /// Puts an answer out that nobody asked for; what does not fit is lost.
    pub(super) fn tell(&mut self, answer: &Answer) {
        self.answer(answer);
        let _ = self.put_out();
    }

    fn answer(&mut self, answer: &Answer) {
        self.answer.extend(serde_json::to_vec(answer).unwrap_or_default());
        self.answer.push(b'\n');
    }

    /// False: the connection is broken. What is over a request's length waits.
    fn take_in(&mut self) -> bool {
        let mut buffer = [0; 1024];
        while self.request.len() <= LONGEST_REQUEST {
            match self.stream.read(&mut buffer) {
                Ok(0) => {
                    self.over = true;
                    return true;
                }
                Ok(count) => self.request.extend(buffer.iter().take(count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
        true
    }

    fn next_line(&mut self) -> Option<Vec<u8>> {
        let end = self.request.iter().position(|byte| *byte == b'\n')?;
        Some(self.request.drain(..=end).collect())
    }

    /// False: the connection is broken.
    fn put_out(&mut self) -> bool {
        while !self.answer.is_empty() {
            match self.stream.write(&self.answer) {
                Ok(0) => return false,
                Ok(count) => drop(self.answer.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
        true
    }
}

fn refusal(why: String) -> Answer {
    Answer::Refused { why }
}
