//! The cases an FTP gateway must be tried with, as conversations, and the plain ones beneath them. The numbers of the
//! former are those of docs/kernel.md.

mod ftp;
mod hostile;
mod nat;
mod tracked;

use super::conversation::Conversation;
use super::packets::End;
use super::scene::{CLIENT, SERVER, Scene};

pub struct Case {
    pub number: &'static str,
    pub name: &'static str,
    pub conversation: Conversation,
}

pub fn all() -> Vec<Case> {
    [nat::cases(), ftp::cases(), hostile::cases(), tracked::cases()].into_iter().flatten().collect()
}

fn case(number: &'static str, name: &'static str, tell: impl FnOnce(&mut Scene)) -> Case {
    case_in(number, name, Scene::new(), tell)
}

fn case_in(
    number: &'static str,
    name: &'static str,
    mut scene: Scene,
    tell: impl FnOnce(&mut Scene),
) -> Case {
    tell(&mut scene);
    Case { number, name, conversation: scene.finish() }
}

/// The command of most cases.
const PORT: &str = "PORT 192,168,1,100,195,80\r\n";

/// A client's control connection to a server outside, logged in.
fn logged_in(scene: &mut Scene) -> usize {
    let control = scene.flow((CLIENT, 1024), (SERVER, 21));
    log_in(scene, control, End::Lan);
    control
}

fn log_in(scene: &mut Scene, control: usize, client: End) {
    scene.on(control, |script| script.handshake(client));
    scene.say(control, client.other(), "220 ready\r\n");
    scene.say(control, client, "USER anonymous\r\n");
    scene.say(control, client.other(), "331 password\r\n");
    scene.say(control, client, "PASS guest\r\n");
    scene.say(control, client.other(), "230 logged in\r\n");
}

/// What goes on after an announcement: the answer, a command, the transfer from the server's port 20, and the end.
fn transfer(scene: &mut Scene, control: usize) {
    scene.say(control, End::Wan, "200 PORT ok\r\n");
    scene.say(control, End::Lan, "LIST\r\n");
    let data = scene.data(control, (SERVER, 20));
    scene.on(data, |script| script.handshake(End::Wan));
    scene.say(control, End::Wan, "150 opening\r\n");
    scene.say(data, End::Wan, "total 0\r\n");
    scene.on(data, |script| script.finish(End::Wan));
    scene.say(control, End::Wan, "226 done\r\n");
    scene.say(control, End::Lan, "QUIT\r\n");
    scene.on(control, |script| script.finish(End::Lan));
}
