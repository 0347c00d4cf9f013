//! What this machine gives: its disk, its clock, its ports, its limits, its certificate.

use super::Found;
use crate::cli::remedy::of_the_system;
use crate::clock::Clock;
use crate::config::{Config, TlsFiles};
use crate::observe::rfc3339;
use crate::tls;
use nobat_core::time::UnixMillis;
use rustix::process::{Resource, getrlimit};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

/// Each 200 waits for a sync: slower than this, and the disk is what students feel.
const SYNC_SLOW: Duration = Duration::from_millis(20);
/// One in a hundred of them may be so slow.
const SYNC_P99_SLOW: Duration = Duration::from_millis(100);
/// Syncs measured at most, and for how long.
const SYNCS: usize = 256;
const SYNCS_FOR: Duration = Duration::from_secs(2);
/// Free bytes below which the journal may find no room for its next segments; and below which an evening does not.
const FREE_BAD: u64 = 256 << 20;
const FREE_SCARCE: u64 = 2 << 30;
/// Every certificate and every quota would be judged wrongly outside of these years.
const CLOCK_SANE: std::ops::Range<UnixMillis> = UnixMillis(1_735_689_600_000)..UnixMillis(4_102_444_800_000);
/// A certificate is renewed a month before its end; half of that left means that nobody does it.
const EXPIRES_SOON: Duration = Duration::from_secs(14 * 86_400);
/// Descriptors beside connections: files, polls, a reserve.
const FILES_BESIDE: u64 = 128;

pub(super) fn clock() -> Found {
    let now = Clock::start().now().wall;
    let shown = rfc3339::format(now);
    if CLOCK_SANE.contains(&now) {
        Found::good(format!("it is {shown}"))
    } else {
        Found::bad(format!(
            "it is said to be {shown}: set the clock, or let systemd-timesyncd or chrony set it"
        ))
    }
}

/// Is the disk fast enough?
pub(super) fn data_dir(dir: &Path) -> Found {
    let shown = dir.display();
    match measure(dir) {
        Err(error) => {
            let remedy = of_the_system(error.kind()).unwrap_or("look at the disk");
            Found::bad(format!("{shown} cannot be used: {error}; {remedy}"))
        }
        Ok(took) => {
            let (p50, p99) = (quantile(&took, 50), quantile(&took, 99));
            let says =
                format!("{shown}: of {} syncs half take {p50:.1?}, one in a hundred {p99:.1?}", took.len());
            if p50 > SYNC_SLOW || p99 > SYNC_P99_SLOW {
                Found::note(format!("{says}; each answer waits for one: use a local SSD, or a faster volume"))
            } else {
                Found::good(says)
            }
        }
    }
}

/// Of sorted times; the next higher where it falls between two.
fn quantile(sorted: &[Duration], percent: usize) -> Duration {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).copied().unwrap_or_default()
}

/// Times of a 4 KiB overwrite with fdatasync, which is what a commit costs; sorted.
fn measure(dir: &Path) -> io::Result<Vec<Duration>> {
    fs::create_dir_all(dir)?;
    let path = dir.join(format!("doctor.{}.tmp", std::process::id()));
    let measured = sync_times(&path);
    let removed = fs::remove_file(&path);
    let mut took = measured?;
    removed?;
    took.sort_unstable();
    Ok(took)
}

fn sync_times(path: &Path) -> io::Result<Vec<Duration>> {
    use std::os::unix::fs::FileExt as _;
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let clock = Clock::start();
    file.write_all_at(&[0; 4096 * SYNCS], 0)?;
    file.sync_all()?;
    let (mut took, first) = (Vec::with_capacity(SYNCS), clock.mono());
    while took.len() < SYNCS && (took.len() < 16 || clock.mono().since(first) < SYNCS_FOR) {
        let began = clock.mono();
        file.write_all_at(&[1; 4096], took.len() as u64 * 4096)?;
        file.sync_data()?;
        took.push(clock.mono().since(began));
    }
    Ok(took)
}

/// Does what is written stay, and is there room? Asked after the directory was made.
pub(super) fn volume(dir: &Path) -> Found {
    let (kind, space) = match (rustix::fs::statfs(dir), rustix::fs::statvfs(dir)) {
        (Ok(kind), Ok(space)) => (kind.f_type as u64 & 0xffff_ffff, space.f_bavail * space.f_frsize),
        (Err(e), _) | (_, Err(e)) => return Found::note(format!("the volume cannot be looked at: {e}")),
    };
    let free = format!("{} MiB free", space >> 20);
    match volume_kind(kind) {
        Some(Volume::Memory) => Found::bad(
            "the data directory is in memory (tmpfs): everything is gone with a restart of the machine; put \
             NOBAT_DATA_DIR on a disk"
                .to_owned(),
        ),
        Some(Volume::Layer) => Found::note(format!(
            "the data directory is in a container's own layer (overlay), {free}: it goes with the container; mount a \
             volume there"
        )),
        Some(Volume::Network) => Found::note(format!(
            "the data directory is on a network share, {free}: locks and syncs depend on the server; a local disk is \
             safer and faster"
        )),
        None if space < FREE_BAD => {
            Found::bad(format!("{free}: the journal finds no room soon; free some space"))
        }
        None if space < FREE_SCARCE => {
            Found::note(format!("{free}: plan for twice the state and four segments of the journal"))
        }
        None => Found::good(free),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Volume {
    Memory,
    Layer,
    Network,
}

/// By the magic number of statfs(2); none for what keeps its promises.
const fn volume_kind(magic: u64) -> Option<Volume> {
    match magic {
        0x0102_1994 | 0x8584_58f6 => Some(Volume::Memory),
        0x794c_7630 => Some(Volume::Layer),
        0x6969 | 0xff53_4d42 | 0xfe53_4d42 | 0x0102_1997 => Some(Volume::Network),
        _ => None,
    }
}

/// Do the descriptors suffice for the connections that are allowed?
pub(super) fn files(config: &Config) -> Found {
    let sends = config.lanes.len() as u64 * u64::from(config.pacing.in_flight);
    let wanted = config.limits.connections as u64 + sends + FILES_BESIDE;
    match getrlimit(Resource::Nofile).current {
        Some(have) if have < wanted => Found::note(format!(
            "{have} files may be open, and limits.connections with all lanes may need {wanted}: LimitNOFILE= in the \
             unit, or `ulimit -n {wanted}`; else connections wait at the limit"
        )),
        Some(have) => Found::good(format!("{have} files may be open, {wanted} are needed at most")),
        None => Found::good("any number of files may be open".to_owned()),
    }
}

pub(super) fn listener(address: SocketAddr) -> Found {
    match TcpListener::bind(address) {
        Ok(_) => Found::good(format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Found::note(format!(
            "{address} is in use: by nobat itself or its systemd socket, if one runs; else choose another port"
        )),
        Err(error) => Found::bad(format!("{address} cannot be listened on: {error}")),
    }
}

/// Kind and end of the certificate.
pub(super) fn certificate(files: &TlsFiles) -> Found {
    let (shown, now) = (files.cert.display(), Clock::start().now().wall);
    if let Err(error) = tls::server_config(&files.cert, &files.key, now) {
        return Found::bad(error.to_string());
    }
    let ends = tls::not_after(&files.cert);
    let left = ends.map(|end| Duration::from_millis(end.0.saturating_sub(now.0)));
    let until = ends.map_or("an unknown day".to_owned(), |end| rfc3339::format(end)[..10].to_owned());
    let (kind, rsa) = match PrivateKeyDer::from_pem_file(&files.key) {
        Ok(key) if is_rsa(&key) => ("RSA", true),
        _ => ("ECDSA or Ed25519", false),
    };
    let says = format!("{shown} is good until {until} ({kind})");
    if left.is_some_and(|left| left < EXPIRES_SOON) {
        return Found::note(format!("{says}: renew it; the new files are used without a restart"));
    }
    match rsa {
        true => Found::note(format!("{says}; an ECDSA P-256 key would cost a quarter of this RSA key")),
        false => Found::good(says),
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

#[cfg(test)]
mod tests {
    use super::super::Mark;
    use super::*;

    #[test]
    fn a_certificate_is_judged_before_it_is_needed() {
        let dir = tempfile::tempdir().expect("a directory");
        let files = TlsFiles { cert: dir.path().join("c.pem"), key: dir.path().join("k.pem") };
        assert_eq!(certificate(&files).mark, Mark::Bad);
        let now = Clock::start().now().wall.0 / 1_000;
        for (days, mark) in [(90, Mark::Good), (10, Mark::Note)] {
            let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
            let end = now as i64 + days * 86_400;
            params.not_after = std::time::UNIX_EPOCH.into();
            params.not_after += Duration::from_secs(end as u64);
            let key = rcgen::KeyPair::generate().expect("a key");
            let cert = params.self_signed(&key).expect("a certificate");
            fs::write(&files.cert, cert.pem()).expect("written");
            fs::write(&files.key, key.serialize_pem()).expect("written");
            let found = certificate(&files);
            assert_eq!(found.mark, mark, "{}", found.says);
            assert!(found.says.contains("ECDSA") && found.says.contains("until 20"), "{}", found.says);
        }
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

    #[test]
    fn quantiles_are_of_what_was_measured() {
        let times: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!((quantile(&times, 50), quantile(&times, 99)), (times[99], times[197]));
        assert_eq!(quantile(&times[..1], 99), times[0]);
        assert_eq!(quantile(&[], 50), Duration::ZERO);
    }

    #[test]
    fn volumes_that_forget_are_known_and_memory_is_no_place() {
        assert_eq!(volume_kind(0x0102_1994), Some(Volume::Memory));
        assert_eq!(volume_kind(0x794c_7630), Some(Volume::Layer));
        assert_eq!(
            (volume_kind(0xef53), volume_kind(0x5846_5342), volume_kind(0x9123_683e)),
            (None, None, None)
        );
        let shm = Path::new("/dev/shm");
        if rustix::fs::statfs(shm).is_ok_and(|shm| shm.f_type as u64 == 0x0102_1994) {
            assert_eq!(volume(shm).mark, Mark::Bad);
        }
    }
}
