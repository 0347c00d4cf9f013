//! `nobat doctor`: will it work? Asks the platform, the disk and the clock; a line each.

use super::args::Doctor;
use super::remedy::of_the_system;
use super::{Done, Status, World, configured};
use crate::channel::telegram::Api;
use crate::channel::telegram::api::{ApiError, get_me, webhook_info};
use crate::channel::telegram::setup::Plan;
use crate::clock::Clock;
use crate::config::{Config, Inputs, Kind, Polling, TlsFiles};
use crate::observe::rfc3339;
use crate::tls;
use nobat_bots::results::dataset::Dataset;
use nobat_core::time::UnixMillis;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

/// Each 200 waits for a sync: slower than this, and the disk is what students feel.
const SYNC_SLOW: Duration = Duration::from_millis(20);
/// Syncs measured.
const SYNCS: usize = 32;
/// Every certificate and every quota would be judged wrongly outside of these years.
const CLOCK_SANE: std::ops::Range<UnixMillis> = UnixMillis(1_735_689_600_000)..UnixMillis(4_102_444_800_000);

/// How a check ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Found {
    Good,
    /// It works, and could be better.
    Note,
    Bad,
    /// Nobody answered.
    Unreachable,
}

/// Writes the findings, and keeps the worst.
struct Report<'o> {
    out: &'o mut dyn Write,
    worst: Status,
}

impl Report<'_> {
    fn tell(&mut self, what: &str, (found, says): (Found, String)) -> io::Result<()> {
        let mark = match found {
            Found::Good => "ok  ",
            Found::Note => "note",
            Found::Bad | Found::Unreachable => "BAD ",
        };
        match found {
            Found::Good | Found::Note => {}
            Found::Unreachable if self.worst == Status::Ok => self.worst = Status::Unavailable,
            Found::Unreachable => {}
            Found::Bad => self.worst = Status::NotAsWanted,
        }
        writeln!(self.out, "{mark} {what:<10} {says}")
    }
}

/// Runs every check. 0 if all is good, 69 if the platform cannot be reached, 1 otherwise.
pub(super) fn run(world: &mut World<'_>, inputs: &Inputs, doctor: &Doctor) -> Done {
    let config = configured(world, inputs)?;
    let mut report = Report { out: &mut *world.out, worst: Status::Ok };
    report.tell("clock", clock())?;
    report.tell("data", data_dir(&config.data_dir))?;
    if config.kind == Kind::Results
        && let Some(path) = &config.results.dataset
    {
        report.tell("data set", dataset(path))?;
    }
    if config.listens {
        report.tell("webhooks", listener(config.listen))?;
    }
    report.tell("admin", listener(config.admin_listen))?;
    if let Some(files) = &config.tls {
        report.tell("TLS", certificate(files))?;
    }
    if !doctor.offline {
        let api = (world.connect)(&config);
        for (lane, found) in tokens(&*api, &config) {
            let unreachable = found.0 == Found::Unreachable;
            report.tell(&format!("lane {lane}"), found)?;
            if unreachable {
                // The others would each wait as long for the same answer.
                break;
            }
        }
        match config.polling {
            _ if report.worst != Status::Ok => {}
            None => webhooks(&*api, &config, &mut report)?,
            Some(why) => polling(&*api, &config, why, &mut report)?,
        }
    }
    Ok(report.worst)
}

fn clock() -> (Found, String) {
    let now = Clock::start().now().wall;
    let shown = rfc3339::format(now);
    if CLOCK_SANE.contains(&now) {
        (Found::Good, format!("it is {shown}"))
    } else {
        (
            Found::Bad,
            format!("it is said to be {shown}: set the clock, or let systemd-timesyncd or chrony set it"),
        )
    }
}

fn data_dir(dir: &Path) -> (Found, String) {
    let shown = dir.display();
    match measure(dir) {
        Err(error) => {
            let remedy = of_the_system(error.kind()).unwrap_or("look at the disk");
            (Found::Bad, format!("{shown} cannot be used: {error}; {remedy}"))
        }
        Ok((median, slowest)) => {
            let says = format!("{shown}: a sync takes {median:.1?}, the slowest of {SYNCS} {slowest:.1?}");
            if median > SYNC_SLOW {
                (Found::Note, format!("{says}; each answer waits for one: use a local SSD"))
            } else {
                (Found::Good, says)
            }
        }
    }
}

/// Median and maximum of a 4 KiB overwrite with fdatasync, which is what a commit costs.
fn measure(dir: &Path) -> io::Result<(Duration, Duration)> {
    fs::create_dir_all(dir)?;
    let path = dir.join(format!("doctor.{}.tmp", std::process::id()));
    let measured = sync_times(&path);
    let removed = fs::remove_file(&path);
    let mut took = measured?;
    removed?;
    took.sort_unstable();
    Ok((took[took.len() / 2], took[took.len() - 1]))
}

fn sync_times(path: &Path) -> io::Result<Vec<Duration>> {
    use std::os::unix::fs::FileExt as _;
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let clock = Clock::start();
    file.write_all_at(&[0; 4096 * SYNCS], 0)?;
    file.sync_all()?;
    (0..SYNCS)
        .map(|at| {
            let began = clock.mono();
            file.write_all_at(&[1; 4096], at as u64 * 4096)?;
            file.sync_data()?;
            Ok(clock.mono().since(began))
        })
        .collect()
}

fn dataset(path: &Path) -> (Found, String) {
    let shown = path.display();
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            (Found::Note, format!("{shown} is not there yet: nobat results import FILE"))
        }
        Err(error) => (Found::Bad, format!("{shown} cannot be read: {error}")),
        Ok(bytes) => match Dataset::load(bytes) {
            Ok(set) => {
                (Found::Good, format!("{shown}: {} pupils, {} bytes in memory", set.len(), set.bytes()))
            }
            Err(error) => (Found::Bad, format!("{shown}: {error}")),
        },
    }
}

fn listener(address: SocketAddr) -> (Found, String) {
    match TcpListener::bind(address) {
        Ok(_) => (Found::Good, format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => (
            Found::Note,
            format!("{address} is in use: by nobat itself, if it runs; else choose another port"),
        ),
        Err(error) => (Found::Bad, format!("{address} cannot be listened on: {error}")),
    }
}

fn certificate(files: &TlsFiles) -> (Found, String) {
    let shown = files.cert.display();
    if let Err(error) = tls::server_config(&files.cert, &files.key, Clock::start().now().wall) {
        return (Found::Bad, error.to_string());
    }
    match PrivateKeyDer::from_pem_file(&files.key) {
        Ok(key) if is_rsa(&key) => {
            (Found::Note, format!("{shown} is good; an ECDSA P-256 key would cost a quarter of this RSA key"))
        }
        _ => (Found::Good, format!("{shown} is good")),
    }
}

fn is_rsa(key: &PrivateKeyDer<'_>) -> bool {
    /// 1.2.840.113549.1.1.1, rsaEncryption (RFC 8017, appendix C), in DER.
    const RSA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    match key {
        PrivateKeyDer::Pkcs1(_) => true,
        PrivateKeyDer::Pkcs8(der) => der.secret_pkcs8_der().windows(RSA.len()).any(|oid| oid == RSA),
        _ => false,
    }
}

fn tokens<'c>(api: &'c dyn Api, config: &'c Config) -> impl Iterator<Item = (usize, (Found, String))> + 'c {
    config.lanes.iter().enumerate().map(move |(lane, bot)| {
        let found = match get_me(api, &bot.token) {
            Ok(known) if known.id == bot.bot_id.0 => {
                (Found::Good, format!("{} is @{}", bot.token, known.username))
            }
            Ok(known) => (Found::Bad, format!("{} answers as bot {}", bot.token, known.id)),
            Err(error @ ApiError::Unreachable(_)) => (Found::Unreachable, format!("{}: {error}", bot.token)),
            Err(error) => (Found::Bad, format!("{}: {error}", bot.token)),
        };
        (lane, found)
    })
}

/// Are the webhooks as they should be? Only if there is an address to compare with.
fn webhooks(api: &dyn Api, config: &Config, report: &mut Report<'_>) -> io::Result<()> {
    let Some(url) = &config.webhook.url else {
        return report
            .tell("webhook", (Found::Note, "no address to compare with: nobat webhook info".to_owned()));
    };
    let mut written = Ok(());
    Plan::new(config, url).verify(api, &mut |line| {
        let found = if line.good { Found::Good } else { Found::Note };
        if written.is_ok() {
            written = report.tell(&format!("webhook {}", line.lane), (found, line.says.clone()));
        }
    });
    written
}

/// Does a webhook stand in the way of long polling?
fn polling(api: &dyn Api, config: &Config, why: Polling, report: &mut Report<'_>) -> io::Result<()> {
    for (lane, bot) in config.lanes.iter().enumerate().filter(|(lane, _)| config.must_hear(*lane)) {
        let found = match (webhook_info(api, &bot.token), why) {
            (Err(error), _) => (Found::Bad, error.to_string()),
            (Ok(info), _) if info.url.is_empty() => (Found::Good, "no webhook stands in its way".to_owned()),
            (Ok(_), Polling::Forced) => {
                (Found::Note, "has a webhook, which `nobat serve` removes".to_owned())
            }
            (Ok(_), Polling::NoAddress) => {
                let remedy =
                    "run `nobat webhook clear`, or set FORCE_POLLING=true, or say where webhooks arrive";
                (Found::Bad, format!("has a webhook, so it cannot be polled: {remedy}"))
            }
        };
        report.tell(&format!("polling {lane}"), found)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_judged_before_it_is_needed() {
        let dir = tempfile::tempdir().expect("a directory");
        let files = TlsFiles { cert: dir.path().join("c.pem"), key: dir.path().join("k.pem") };
        assert_eq!(certificate(&files).0, Found::Bad);
        let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        fs::write(&files.cert, pair.cert.pem()).expect("written");
        fs::write(&files.key, pair.signing_key.serialize_pem()).expect("written");
        let (found, says) = certificate(&files);
        assert_eq!(found, Found::Good, "{says}");
    }

    #[test]
    fn an_rsa_key_is_told_by_its_identifier() {
        let pkcs8 = |der: &[u8]| PrivateKeyDer::Pkcs8(der.to_vec().into());
        assert!(is_rsa(&pkcs8(&[
            0x30, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05
        ])));
        assert!(!is_rsa(&pkcs8(&[0x30, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01])));
        assert!(is_rsa(&PrivateKeyDer::Pkcs1(vec![0].into())));
    }
}
