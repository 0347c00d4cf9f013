use super::*;

fn view(lanes: usize, seconds: u64) -> View {
    let lane = |n| LaneView {
        bot: 5_000_000_000 + n,
        pending: 1_234_567,
        in_flight: 64,
        slots: 30,
        accepted: 30 * seconds,
        refused_429: n,
        healthy: n != 3,
        paused: n == 5,
    };
    View {
        version: "0.1.0".into(),
        state: "ready".into(),
        uptime_s: 3_725 + seconds,
        at_ms: 1_784_527_200_000 + seconds * 1_000,
        capacity: lanes as u64 * 30,
        updates: 9_000_000 + 1_200 * seconds,
        accepted: 5_000_000 + 510 * seconds,
        pending: 1_000_000,
        held: 1_000_000,
        users: 1_000_000,
        connections: 100_000,
        resident: 3 << 30,
        queue: [12, 1_000_000, 1_000_000, 1_000_000],
        frames: 1_800 * seconds,
        commits: 400 * seconds,
        latencies: [[123.4, 5_678.9]; 4],
        lanes: (0..lanes as u64).map(lane).collect(),
        alarms: vec![
            "2026-11-21T18:00:00.000Z WARN  an older one".into(),
            format!("2026-11-21T18:00:01.000Z ERROR {}\n\u{1b}[31m", "long ".repeat(40)),
        ],
        ..View::default()
    }
}

fn lines(screen: &str) -> Vec<&str> {
    screen.lines().collect()
}

#[test]
fn seventeen_lanes_and_the_last_warning_fit_80_by_24() {
    let size = Size { columns: 80, rows: 24 };
    let screen = draw(&view(17, 2), Some(&view(17, 0)), size, false);
    let shown = lines(&screen);
    assert_eq!(shown.len(), 24, "{screen}");
    // Nothing is cut off but the warning.
    assert!(shown[..23].iter().all(|line| line.chars().count() < 80 && line.len() > 20), "{screen}");
    assert!(
        shown[0].ends_with("MiB") && shown[2].ends_with(" ms") && shown[4].ends_with("failed"),
        "{screen}"
    );
    assert!(shown[0].contains("up 1h02m") && shown[0].contains("lanes 16/17, 510/s"), "{screen}");
    assert!(shown[1].contains("1200/s updates") && shown[2].contains("510/s accepted"), "{screen}");
    assert!(shown[4].contains("1800/s frames"), "{screen}");
    assert!(shown[6 + 3].contains("CUT OFF") && shown[6 + 5].contains("paused"), "{screen}");
    assert!(shown[22].starts_with("  16 ") && shown[23].contains("ERROR long"), "{screen}");
}

#[test]
fn every_lane_is_shown_wherever_it_fits_and_no_screen_is_outgrown() {
    for (lanes_shown, columns, rows) in
        [(1, 80, 24), (17, 200, 50), (34, 80, 24), (256, 320, 60), (256, 10, 3)]
    {
        let size = Size { columns, rows };
        for live in [false, true] {
            let screen = draw(&view(lanes_shown, 1), None, size, live);
            let shown = lines(&screen);
            assert!(shown.len() <= rows, "{lanes_shown} lanes on {columns} by {rows}: {}", shown.len());
            if !live {
                assert!(shown.iter().all(|line| line.chars().count() <= columns), "{screen}");
            }
        }
    }
    let screen = draw(&view(34, 1), None, Size { columns: 80, rows: 25 }, false);
    for lane in 0..34 {
        let found = lines(&screen)[6..].iter().any(|line| {
            line.starts_with(&format!("{lane:>4} ")) || line.get(40..45) == Some(&format!("{lane:>4} "))
        });
        assert!(found, "lane {lane}:\n{screen}");
    }
}

#[test]
fn what_a_log_line_holds_cannot_steer_the_terminal() {
    let screen = draw(&view(1, 1), None, Size { columns: 80, rows: 24 }, false);
    assert!(!screen.contains('\u{1b}'), "{screen:?}");
}

#[test]
fn another_program_counts_from_zero() {
    let (mut now, before) = (view(1, 1), view(1, 0));
    now.started_ms = 1;
    now.updates = 5;
    assert!(
        lines(&draw(&now, Some(&before), Size { columns: 80, rows: 24 }, false))[1].contains(" 0/s updates")
    );
}
