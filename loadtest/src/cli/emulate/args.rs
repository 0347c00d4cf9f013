//! The arguments of `nobat-load emulate`, and the configuration they make.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;

use crate::telegram::{
    BotSpec, Defiance, EmulatorConfig, Form, Latency, Limits, Reach, UnknownToken, WaitScope,
};

const EXAMPLES: &str = "\
Examples:
  One bot, the strict limits, a line a second:
      nobat-load emulate --port 8081
  Three bots of your own names, updates to a webhook, calls that take about 60 ms:
      nobat-load emulate --tokens 11:A,12:B,13:C --webhook http://127.0.0.1:8080/webhook --latency 60ms~0.5
  Only the first bot may write to users; no limits; events as JSON lines:
      nobat-load emulate --bots 17 --reach main-only --limits none --json

A user writes to bot 0 (then point your bot's API root at http://127.0.0.1:8081):
      curl -d '{\"user\": 5, \"text\": \"/start\"}' http://127.0.0.1:8081/_emulator/update
The next ten sends fail with 429:
      curl -d '{\"kind\": \"too_many\", \"retry_after\": 3, \"count\": 10}' http://127.0.0.1:8081/_emulator/fault
All of it: docs/emulator.md";

/// Run an emulated Telegram Bot API server alone.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// Address to listen on; keep it on loopback, the control endpoint has no password
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_name = "IP")]
    host: IpAddr,
    /// Port to listen on; 0 takes a free one and prints it
    #[arg(long, default_value_t = 8081)]
    port: u16,
    /// Tokens of the bots, in order; bot 0 is the main one
    #[arg(long, value_delimiter = ',', value_name = "ID:SECRET", conflicts_with_all = ["tokens_file", "bots"])]
    pub(super) tokens: Vec<String>,
    /// A file with one token a line (# begins a comment): arguments can be seen by other users
    #[arg(long, value_name = "FILE", conflicts_with = "bots")]
    pub(super) tokens_file: Option<PathBuf>,
    /// Make up so many tokens and print them
    #[arg(long, default_value_t = 1, value_name = "N")]
    bots: usize,
    /// Register this webhook for bot 0 at start (plain http)
    #[arg(long, value_name = "URL")]
    pub(super) webhook: Option<String>,
    /// The secret token sent with the webhook of --webhook
    #[arg(long, value_name = "SECRET", requires = "webhook")]
    pub(super) webhook_secret: Option<String>,
    /// Deliver webhooks with an https URL here, in plain HTTP
    #[arg(long, value_name = "IP:PORT")]
    webhook_via: Option<SocketAddr>,
    /// strict: 30 in any 1 s per token, 1/s with a burst of 3 per chat, 20 a minute per group
    #[arg(long, value_enum, default_value_t = LimitSet::Strict)]
    limits: LimitSet,
    /// Replies (sends to a chat that wrote in the last 5 minutes) are free of the token's limit
    #[arg(long)]
    free_replies: bool,
    /// Whom the 429 of a chat's limit stops
    #[arg(long, value_enum, default_value_t = WaitArg::Chat)]
    chat_wait: WaitArg,
    /// What a call before the end of an announced wait does
    #[arg(long, value_enum, default_value_t = DefianceArg::Extend)]
    defiance: DefianceArg,
    /// Hold sends over a limit silently up to so long before a 429 (the platform: 8s)
    #[arg(long, value_parser = duration, default_value = "0s", value_name = "TIME")]
    silent_delay: Duration,
    /// Whom bots reach before anybody wrote: all, main-only, started, or a share such as 0.3
    #[arg(long, default_value = "all", value_name = "WHO")]
    reach: ReachArg,
    /// How a bot is told that it cannot write to a user
    #[arg(long, value_enum, default_value_t = FormArg::Mixed)]
    unreachable: FormArg,
    /// Time a call takes, half before and half after the decision: 60ms, or 60ms~0.5 (lognormal, median~sigma)
    #[arg(long, default_value = "0ms", value_name = "TIME[~SIGMA]")]
    latency: LatencyArg,
    /// How an unknown token is answered
    #[arg(long, value_enum, default_value_t = UnknownArg::Unauthorized)]
    unknown_token: UnknownArg,
    /// Seed of reach, latency, fault shares and first ids
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print every event as a line of JSON instead of a line a second
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum LimitSet {
    Strict,
    None,
}

#[derive(Clone, Copy, ValueEnum)]
enum WaitArg {
    Chat,
    Token,
}

#[derive(Clone, Copy, ValueEnum)]
enum DefianceArg {
    /// Counted, nothing else
    Count,
    /// The wait starts again
    Extend,
    /// The wait starts again, four times as long, at most an hour
    Escalate,
}

#[derive(Clone, Copy, ValueEnum)]
enum FormArg {
    /// 400 chat not found
    NotFound,
    /// 403 bot can't initiate conversation
    Forbidden,
    Mixed,
}

#[derive(Clone, Copy, ValueEnum)]
enum UnknownArg {
    Unauthorized,
    NotFound,
}

#[derive(Clone, Copy)]
struct ReachArg(Reach);

impl FromStr for ReachArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self(match text {
            "all" => Reach::All,
            "main-only" => Reach::MainOnly,
            "started" => Reach::Started,
            share => match share.parse() {
                Ok(share) if (0.0..=1.0).contains(&share) => Reach::Share(share),
                _ => return Err("say all, main-only, started, or a share between 0 and 1".into()),
            },
        }))
    }
}

#[derive(Clone, Copy)]
struct LatencyArg(Latency);

impl FromStr for LatencyArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((median, sigma)) = text.split_once('~') else {
            return Ok(Self(match duration(text)? {
                Duration::ZERO => Latency::None,
                constant => Latency::Constant(constant),
            }));
        };
        let sigma: f64 = sigma.parse().map_err(|_| format!("{sigma:?} is no number"))?;
        if !(0.0..=5.0).contains(&sigma) {
            return Err("sigma lies between 0 and 5".into());
        }
        Ok(Self(Latency::LogNormal { median: duration(median)?, sigma }))
    }
}

/// `250ms`, `8s`, `2m`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| format!("{text:?} is no time; say 250ms, 8s or 2m"))?;
    match &text[digits.len()..] {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        _ => Err(format!("{text:?} has no unit; say 250ms, 8s or 2m")),
    }
}

/// The platform the arguments describe.
pub(super) fn config(args: &Args) -> Result<EmulatorConfig, String> {
    let strict = match args.limits {
        LimitSet::Strict => Limits::default(),
        LimitSet::None => Limits::none(),
    };
    let limits = Limits {
        cap_replies: !args.free_replies,
        chat_wait: match args.chat_wait {
            WaitArg::Chat => WaitScope::Chat,
            WaitArg::Token => WaitScope::Token,
        },
        defiance: match args.defiance {
            DefianceArg::Count => Defiance::Count,
            DefianceArg::Extend => Defiance::Extend,
            DefianceArg::Escalate => Defiance::Escalate { factor: 4, max_s: 3600 },
        },
        silent_delay: args.silent_delay,
        ..strict
    };
    Ok(EmulatorConfig {
        listen: SocketAddr::new(args.host, args.port),
        bots: tokens(args)?.into_iter().map(BotSpec::new).collect(),
        limits,
        reach: args.reach.0,
        unreachable_form: match args.unreachable {
            FormArg::NotFound => Form::NotFound,
            FormArg::Forbidden => Form::Forbidden,
            FormArg::Mixed => Form::Mixed,
        },
        latency: args.latency.0,
        unknown_token: match args.unknown_token {
            UnknownArg::Unauthorized => UnknownToken::Unauthorized,
            UnknownArg::NotFound => UnknownToken::NotFound,
        },
        seed: args.seed,
        webhook_via: args.webhook_via,
        ..EmulatorConfig::default()
    })
}

/// The tokens, checked for their form. Errors name a token's place, never the token.
fn tokens(args: &Args) -> Result<Vec<String>, String> {
    let tokens: Vec<String> = match &args.tokens_file {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|e| format!("cannot read the tokens of {}: {e}", path.display()))?;
            let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
            lines.filter(|line| !line.is_empty()).map(ToOwned::to_owned).collect()
        }
        None if !args.tokens.is_empty() => args.tokens.clone(),
        None => (1..=args.bots).map(|i| format!("{}:EMULATED", 1_000_000 + i)).collect(),
    };
    if tokens.is_empty() {
        return Err("there is no bot: give --tokens, --tokens-file or --bots".into());
    }
    let well_formed = |token: &String| {
        let (id, secret) = token.split_once(':').unwrap_or_default();
        id.parse::<u64>().is_ok_and(|id| id > 0)
            && !id.starts_with('0')
            && !secret.is_empty()
            && token.len() <= 80
    };
    match tokens.iter().position(|token| !well_formed(token)) {
        Some(at) => Err(format!("token number {} is none: it must be <bot id>:<secret>", at + 1)),
        None => Ok(tokens),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_latencies_read_as_people_write_them() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert!(duration("8").is_err() && duration("fast").is_err() && duration("").is_err());
        let median = Duration::from_millis(60);
        assert_eq!(
            "60ms~0.5".parse::<LatencyArg>().map(|l| l.0),
            Ok(Latency::LogNormal { median, sigma: 0.5 })
        );
        assert_eq!("0ms".parse::<LatencyArg>().map(|l| l.0), Ok(Latency::None));
        assert!("60ms~x".parse::<LatencyArg>().is_err());
    }

    #[test]
    fn a_share_of_users_is_a_number_between_0_and_1() {
        assert_eq!("0.3".parse::<ReachArg>().map(|r| r.0), Ok(Reach::Share(0.3)));
        assert!("1.3".parse::<ReachArg>().is_err());
        assert!("NaN".parse::<ReachArg>().is_err());
    }
}
