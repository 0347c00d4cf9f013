//! The real binary as those above it handle it: a service manager, an operator at the socket, a change of program.
//!
//! Every test starts `nobat serve` as a process of its own against a platform of a few lines, and judges by what the
//! sender of updates and that platform saw.

mod ctl;
mod doctor;
mod load;
mod logs;
mod manual;
mod one_port;
mod platform;
mod process;
mod self_signed;
mod signals;
mod systemd;
mod talk;
mod upgrade;
