//! A PostgreSQL server of the test's own: a data directory, a Unix socket and a loopback port that are gone with it.

use rustix::process::Signal;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Initialisation and start take about a second each; a busy machine needs more.
const WITHIN: Duration = Duration::from_secs(60);
/// The password of the only user, over TCP.
pub(crate) const PASSWORD: &str = "not-to-be-shown";

/// The user as whom the server runs: it refuses to be root.
#[derive(Clone, Copy)]
struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// `postgres` if this is root, nobody else otherwise.
    fn unless_common() -> Option<Account> {
        let id = |of: &[&str]| {
            let out = Command::new("id").args(of).output().expect("id runs").stdout;
            String::from_utf8_lossy(&out).trim().parse::<u32>().ok()
        };
        if id(&["-u"]) != Some(0) {
            return None;
        }
        let uid = id(&["-u", "postgres"]).expect("root needs a user `postgres`, which the package makes");
        Some(Account { uid, gid: id(&["-g", "postgres"]).expect("a group") })
    }
}

/// A running server. Its folder holds the data directory, the socket and a certificate for `localhost`.
pub(crate) struct Postgres {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) port: u16,
    programs: PathBuf,
    child: Option<Child>,
}

/// Where the server's programs are, if it is installed.
pub(crate) fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let packaged = versions.map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    packaged.chain(std::env::split_paths(&path)).find(|folder| folder.join("initdb").is_file())
}

impl Postgres {
    /// Starts one that trusts the socket and asks for the password over TCP.
    pub(crate) fn start(programs: &Path) -> Postgres {
        let account = Account::unless_common();
        let folder = tempfile::Builder::new().prefix("nobat-pg-").tempdir().expect("a folder");
        let path = folder.path();
        let (data, password) = (path.join("data"), path.join("password"));
        let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        let (cert, private) = (path.join("server.crt"), path.join("server.key"));
        fs::create_dir(&data).expect("a folder");
        for (file, text) in [
            (&password, PASSWORD.to_owned()),
            (&cert, key.cert.pem()),
            (&private, key.signing_key.serialize_pem()),
        ] {
            fs::write(file, text).expect("written");
            fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("a mode");
        }
        if let Some(Account { uid, gid }) = account {
            for file in [path, &data, &password, &cert, &private] {
                chown(file, Some(uid), Some(gid)).expect("an owner");
            }
        }
        let run = |program: &str| {
            let mut command = Command::new(programs.join(program));
            command.env_clear().env("PATH", "/usr/bin:/bin").current_dir(path).stdin(Stdio::null());
            if let Some(Account { uid, gid }) = account {
                command.uid(uid).gid(gid);
            }
            command
        };
        let made = run("initdb")
            .args(["--username=nobat", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .args(["--auth-local=trust", "--auth-host=scram-sha-256"])
            .arg(format!("--pwfile={}", password.display()))
            .arg(format!("--pgdata={}", data.display()))
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
        let mut server = Postgres { folder, port, programs: programs.to_owned(), child: None };
        server.run();
        server
    }

    /// Starts it, again after a [`Postgres::stop`].
    pub(crate) fn run(&mut self) {
        let path = self.folder.path();
        let log = fs::OpenOptions::new().create(true).append(true).open(path.join("log")).expect("a log");
        let mut command = Command::new(self.programs.join("postgres"));
        command.env_clear().env("PATH", "/usr/bin:/bin").current_dir(path).stdin(Stdio::null());
        if let Some(Account { uid, gid }) = Account::unless_common() {
            command.uid(uid).gid(gid);
        }
        let child = command
            .arg("-D")
            .arg(path.join("data"))
            .args(["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", "ssl=on"])
            .args(["-c", &format!("port={}", self.port)])
            .args(["-c", &format!("unix_socket_directories={}", path.display())])
            .args(["-c", &format!("ssl_cert_file={}", path.join("server.crt").display())])
            .args(["-c", &format!("ssl_key_file={}", path.join("server.key").display())])
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("postgres runs");
        self.child = Some(child);
        self.wait();
    }

    /// Ends it at once, but with its shared memory given back; where it cannot be told, it is killed.
    pub(crate) fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        if rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::QUIT).is_err() {
            let _ = child.kill();
        }
        let _ = child.wait();
    }

    /// Through the socket, as its owner.
    pub(crate) fn socket(&self) -> String {
        let folder: String = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://nobat@{folder}:{}/postgres", self.port)
    }

    /// Through TCP, by this name, with this tail.
    pub(crate) fn tcp(&self, host: &str, tail: &str) -> String {
        format!("postgres://nobat:{PASSWORD}@{host}:{}/postgres{tail}", self.port)
    }

    pub(crate) fn sql(&self, sql: &str) {
        let mut client = postgres::Client::connect(&self.socket(), postgres::NoTls).expect("a connection");
        client.batch_execute(sql).expect("SQL that it takes");
    }

    fn wait(&mut self) {
        let began = Instant::now();
        while postgres::Client::connect(&self.socket(), postgres::NoTls).is_err() {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().expect("a status"));
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(ended.is_none() && began.elapsed() < WITHIN, "the server does not answer:\n{log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}
