//! Descriptors that this process was born with, made into owners: the one unsafe step of this room.

use rustix::fd::{BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Mutex;

/// Each number becomes an owner once a process.
static CLAIMED: Mutex<Vec<RawFd>> = Mutex::new(Vec::new());

/// Takes a descriptor over that the environment names. No child inherits it unless it is [`passed_on`].
///
/// # Errors
/// It is not open, is one of the three standard ones, or was claimed before.
pub(super) fn claim(fd: RawFd) -> io::Result<OwnedFd> {
    let wrong = |why| io::Error::new(io::ErrorKind::InvalidInput, why);
    if fd <= 2 {
        return Err(wrong("it is one of the standard streams"));
    }
    let mut claimed = CLAIMED.lock().map_err(|_| wrong("another claim panicked"))?;
    if claimed.contains(&fd) {
        return Err(wrong("it is named twice"));
    }
    // SAFETY: looked at for a moment, within the lock; a number that is no open descriptor is refused by the call.
    #[allow(unsafe_code)]
    let looked = unsafe { BorrowedFd::borrow_raw(fd) };
    let flags = fcntl_getfd(looked)?;
    fcntl_setfd(looked, flags.union(FdFlags::CLOEXEC))?;
    claimed.push(fd);
    // SAFETY: the descriptor is open and was left by whoever started this process; nothing else in it knows the
    // number, because it came from the environment, and `CLAIMED` gives it away once.
    #[allow(unsafe_code)]
    Ok(unsafe { OwnedFd::from_raw_fd(looked.as_raw_fd()) })
}

/// Lets a descriptor live through `exec`; its number, for the environment.
///
/// # Errors
/// What the operating system says.
pub(super) fn passed_on(fd: &(impl AsFd + AsRawFd)) -> io::Result<RawFd> {
    let flags = fcntl_getfd(fd)?;
    fcntl_setfd(fd, flags.difference(FdFlags::CLOEXEC))?;
    Ok(fd.as_raw_fd())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::IntoRawFd as _;

    #[test]
    fn a_descriptor_is_claimed_once_and_only_if_it_is_open_and_no_stream() {
        let fd = tempfile::tempfile().expect("a file").into_raw_fd();
        let owned = claim(fd).expect("it is open");
        assert!(fcntl_getfd(&owned).expect("flags").contains(FdFlags::CLOEXEC));
        assert_eq!(passed_on(&owned).expect("passed"), fd);
        assert!(!fcntl_getfd(&owned).expect("flags").contains(FdFlags::CLOEXEC));
        for wrong in [fd, 0, 2, -1, 99_999] {
            assert!(claim(wrong).is_err(), "{wrong}");
        }
    }
}
