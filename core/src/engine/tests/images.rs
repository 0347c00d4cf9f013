//! Images say what the frames say.

use super::*;
use crate::bot::Meeting;
use crate::engine::Folded;
use crate::id::{MessageId, PairNo};

type Blocks = Vec<Vec<u8>>;

/// Folds frames `from..to` (counted from 1, `to` left out) into a new image.
fn fold(
    by: &Engine<Detached>,
    frames: &[Vec<u8>],
    range: core::ops::Range<usize>,
    base: &Blocks,
) -> (Blocks, Folded) {
    let mut fold = by.fold();
    for seq in range {
        fold.frame(Seq(seq as u64), &frames[seq - 1]).unwrap();
    }
    let (mut base, mut out) = (base.iter(), Vec::new());
    let folded = fold
        .merge::<Corrupt>(
            || Ok(base.next().cloned()),
            |block| {
                out.push(block.to_vec());
                Ok(())
            },
        )
        .unwrap();
    (out, folded)
}

fn loaded(image: &Blocks) -> (Engine<Detached>, Recovered) {
    loaded_by(detached(), image)
}

fn loaded_by(engine: Engine<Detached>, image: &Blocks) -> (Engine<Detached>, Recovered) {
    let mut recovered = Recovered::default();
    for block in image {
        engine.load(&mut recovered, block).unwrap();
    }
    engine.loaded(&recovered);
    (engine, recovered)
}

fn frames(of: &Engine<List>) -> Vec<Vec<u8>> {
    of.journal.frames.lock().iter().map(|entry| entry.payload.clone()).collect()
}

/// Everything that is durable of a state, as one text.
fn seen_whole(engine: &Engine<Detached>, recovered: &Recovered) -> String {
    let mut users: Vec<_> = (0..6)
        .map(|user| {
            let cell = engine.cells.of(Conversation { kind: KindIx(0), user: UserId(user) });
            let cell = cell.lock();
            let open: Vec<_> = cell.open.iter().map(|o| (o.id, o.question)).collect();
            let mut ties = Vec::new();
            cell.ties.iter().for_each(|known| known.encode(&mut ties));
            format!("{user}: {} {:?} {open:?} {ties:?}", cell.version, cell.state)
        })
        .collect();
    let mut reach: Vec<_> = recovered.reach().map(|fact| format!("{fact:?}")).collect();
    reach.sort();
    users.extend(reach);
    users.extend(recovered.pending.values().map(|envelope| format!("{envelope:?}")));
    let seen = engine.kinds[0].seen.iter().flat_map(|seen| {
        let seen = seen.lock();
        seen.pages().map(|(n, bits)| format!("{n} {:?}", bits.collect::<Vec<_>>())).collect::<Vec<_>>()
    });
    users.extend(seen);
    users.extend(engine.kinds[0].pairs.as_ref().map(|pairs| format!("{}", pairs.last_given())));
    users.push(format!("{}", engine.pending.load(Relaxed)));
    users.join("\n")
}

/// A life of a few users who meet and part.
fn met(ops: &[(u64, usize, bool)]) -> Engine<List> {
    const WORDS: [&str; 9] = [
        "find man",
        "find woman",
        "next man",
        "stop",
        "hello",
        "block 3",
        "unblock 3",
        "tell it",
        "ring 500",
    ];
    let e = meeting::detached().attach(List { frames: Arc::default(), room: usize::MAX, spare: 0 });
    for (i, &(user, word, end)) in ops.iter().enumerate() {
        let inbound = Inbound { lane: LaneIx((user % 3) as u16), ..text(i as i64, user, WORDS[word]) };
        e.handle_update(at(i as u64 * 20), &inbound).unwrap();
        if end && let Some(first) = pushed(&e).iter().find(|p| p.conversation.user == UserId(user)) {
            let ended = Ended { conversation: first.conversation, id: first.id, end: End::Sent };
            let pair = match e.cells.of(first.conversation).lock().meeting() {
                Meeting::Paired(partner) => partner.pair,
                _ => PairNo(0),
            };
            let (here, there) = (MessageId(i as i64), MessageId(i as i64 + 1));
            let link = Link { conversation: first.conversation, pair, here, there };
            e.settle_linked(&[ended], &[], &[link]).unwrap();
        }
    }
    e
}

/// A life of a few users: what each operation does is up to chance.
fn lived(ops: &[(u64, usize, u8)]) -> Engine<List> {
    let e = engine(usize::MAX);
    for (i, &(user, len, what)) in ops.iter().enumerate() {
        let lane = LaneIx(what as u16 % 3);
        let asked = Inbound { lane, ..text(i as i64 * 977, user, "") };
        let input = match what {
            0..6 => Input::Text { text: "x".repeat(len).into(), message: MessageId(1), reply_to: None },
            6 => Input::Blocked,
            _ => Input::Reachable,
        };
        e.handle_update(at(i as u64 * 20), &Inbound { input, ..asked }).unwrap();
        if what % 2 == 0
            && let Some(first) = pushed(&e).iter().find(|p| p.conversation.user == UserId(user))
        {
            let ended = Ended { conversation: first.conversation, id: first.id, end: End::Sent };
            let (kind, user) = (KindIx(0), UserId(user));
            e.settle(&[ended], &[ReachFact { kind, user, lane, reached: what != 2 }]).unwrap();
        }
    }
    e
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn an_image_and_the_frames_behind_it_are_the_state_of_all_frames(
        ops in prop::collection::vec((0u64..6, 1usize..5, 0u8..8), 1..40),
        cuts in (0usize..200, 0usize..200),
    ) {
        let (e, by) = (lived(&ops), detached());
        let frames = frames(&e);
        let n = frames.len();
        let (a, b) = (cuts.0 % (n + 1), cuts.1 % (n + 1));
        let (a, b) = (a.min(b), a.max(b));
        let (first, _) = fold(&by, &frames, 1..a + 1, &Vec::new());
        let (second, folded) = fold(&by, &frames, a + 1..b + 1, &first);
        prop_assert_eq!(folded.frames as usize, b - a);
        // One way or two, the same bytes.
        prop_assert_eq!(&second, &fold(&by, &frames, 1..b + 1, &Vec::new()).0);
        let (engine, mut recovered) = loaded(&second);
        for seq in b + 1..=n {
            engine.replay(&mut recovered, Seq(seq as u64), &frames[seq - 1]).unwrap();
        }
        let (wanted, whole) = replayed(&e, n);
        prop_assert_eq!(seen_whole(&engine, &recovered), seen_whole(&wanted, &whole));
    }

    #[test]
    fn an_image_holds_who_is_paired_who_waits_and_what_they_sent_each_other(
        ops in prop::collection::vec((1u64..6, 0usize..9, any::<bool>()), 1..60),
        cuts in (0usize..200, 0usize..200),
    ) {
        let (e, by) = (met(&ops), meeting::detached());
        let frames = frames(&e);
        let n = frames.len();
        let (a, b) = (cuts.0 % (n + 1), cuts.1 % (n + 1));
        let (a, b) = (a.min(b), a.max(b));
        let (first, _) = fold(&by, &frames, 1..a + 1, &Vec::new());
        let (second, _) = fold(&by, &frames, a + 1..b + 1, &first);
        prop_assert_eq!(&second, &fold(&by, &frames, 1..b + 1, &Vec::new()).0);
        let (engine, mut recovered) = loaded_by(meeting::detached(), &second);
        let (wanted, mut whole) = (meeting::detached(), Recovered::default());
        for seq in 1..=n {
            wanted.replay(&mut whole, Seq(seq as u64), &frames[seq - 1]).unwrap();
            if seq > b {
                engine.replay(&mut recovered, Seq(seq as u64), &frames[seq - 1]).unwrap();
            }
        }
        engine.check_pairs().unwrap();
        prop_assert_eq!(seen_whole(&engine, &recovered), seen_whole(&wanted, &whole));
    }

    #[test]
    fn any_bytes_are_a_block_or_corrupt(bytes: Vec<u8>) {
        let _ = detached().load(&mut Recovered::default(), &bytes);
        let _ = detached().fold().merge::<Corrupt>({ let mut once = Some(bytes); move || Ok(once.take()) }, |_| Ok(()));
    }
}

#[test]
fn an_image_of_many_users_is_cut_into_blocks_and_merged_across_them() {
    let e = engine(usize::MAX);
    for user in 0..3_000 {
        e.handle_update(at(1), &text(user as i64, user, &"y".repeat(1 + user as usize % 90))).unwrap();
    }
    let (frames, by) = (frames(&e), detached());
    let (half, _) = fold(&by, &frames, 1..1_501, &Vec::new());
    let (whole, folded) = fold(&by, &frames, 1_501..3_001, &half);
    assert!(half.len() > 1 && whole.iter().all(|block| block.len() < 128 << 10), "{} blocks", half.len());
    assert_eq!(folded, Folded { users: 3_000, envelopes: 3_000, frames: 1_500 });
    assert_eq!(whole, fold(&by, &frames, 1..3_001, &Vec::new()).0);
}

#[test]
fn frames_that_do_not_continue_the_image_are_refused() {
    let e = engine(9);
    for (update, words) in ["a", "bb", "ccc"].into_iter().enumerate() {
        e.handle_update(at(1), &text(update as i64, 42, words)).unwrap();
    }
    let (frames, by) = (frames(&e), detached());
    let (first, _) = fold(&by, &frames, 1..2, &Vec::new());
    let mut gap = by.fold();
    gap.frame(Seq(3), &frames[2]).unwrap();
    let mut base = first.into_iter();
    let merged = gap.merge::<Corrupt>(|| Ok(base.next()), |_| Ok(()));
    assert_eq!(merged, Err(Corrupt::Version(Seq(3), UserId(42), 2, 3)));
}

#[test]
fn envelopes_take_their_places_by_age_and_not_by_user() {
    let e = engine(9);
    e.handle_update(at(1), &text(1, 9, "first")).unwrap();
    e.handle_update(at(1), &text(2, 3, "second")).unwrap();
    let (image, _) = fold(&detached(), &frames(&e), 1..3, &Vec::new());
    let (engine, _) = loaded(&image);
    let stamp =
        |user| engine.cells.of(Conversation { kind: KindIx(0), user: UserId(user) }).lock().open[0].stamp;
    assert_eq!((stamp(9), stamp(3)), (1, 2));
}

/// Written by format 1: one page, one user, one envelope. Every later version must read it.
const GOLDEN: &str = include_str!("golden_image.hex");

#[test]
fn the_image_of_format_1_is_written_and_read_as_ever() {
    let e = engine(9);
    let asked = Inbound { lane: LaneIx(2), ..text(64, 42, "hello") };
    e.handle_update(at(1), &asked).unwrap();
    let (image, _) = fold(&detached(), &frames(&e), 1..2, &Vec::new());
    let hex: String = image.concat().iter().map(|byte| format!("{byte:02x}")).collect();
    // The page's bits are 512 bytes of which one is not zero.
    let short = hex.replace(&"00".repeat(503), "(503 zeros)");
    assert_eq!(short, GOLDEN.trim());
    let (engine, recovered) = loaded(&image);
    assert_eq!((engine.cells.len(), recovered.pending.len()), (1, 1));
}
