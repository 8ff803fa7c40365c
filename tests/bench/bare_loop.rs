//! The yardstick: packets copied between two TUN devices by one polling thread, and nothing else. What a router costs
//! is what it takes beyond this.

use std::os::fd::{AsRawFd as _, BorrowedFd};

use nix::poll::{PollFd, PollFlags, poll};
use tun_tap::{Iface, Mode};

/// Longer than any pause of the benchmark; ends a loop whose benchmark is gone.
const IDLE_MILLISECONDS: u16 = 60_000;
/// Packets moved in one direction before the other one gets its turn.
const BATCH: usize = 64;

/// Copies until nothing has come for a minute, or a signal ends it.
pub(crate) fn run(names: [&str; 2]) {
    let devices = names.map(open);
    println!("ready");
    let mut buffer = vec![0; 65536];
    loop {
        let mut ready = devices.each_ref().map(|device| PollFd::new(borrow(device), PollFlags::POLLIN));
        if poll(&mut ready, IDLE_MILLISECONDS).is_ok_and(|count| count == 0) {
            return;
        }
        let ready = ready.map(|one| one.any().unwrap_or(false));
        if ready[0] {
            copy(&devices[0], &devices[1], &mut buffer);
        }
        if ready[1] {
            copy(&devices[1], &devices[0], &mut buffer);
        }
    }
}

fn open(name: &str) -> Iface {
    let device = Iface::without_packet_info(name, Mode::Tun).expect("the namespace is new: the name is free");
    device.set_non_blocking().expect("a TUN device can be non-blocking");
    device
}

fn copy(from: &Iface, to: &Iface, buffer: &mut [u8]) {
    for _ in 0..BATCH {
        let Ok(length) = from.recv(buffer) else { return };
        // A device that is down or full loses the packet, as a wire would.
        let _ = to.send(&buffer[..length]);
    }
}

#[expect(unsafe_code, reason = "tun-tap gives out its descriptor as a number only")]
fn borrow(device: &Iface) -> BorrowedFd<'_> {
    // SAFETY: the device owns the descriptor and outlives the borrow.
    unsafe { BorrowedFd::borrow_raw(device.as_raw_fd()) }
}
