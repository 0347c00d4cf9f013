//! Each line of the table has its bytes and its test.

use super::*;

const SEEN: [Seen; 4] = [Seen::Frame, Seen::Misplaced, Seen::Empty, Seen::Bad];
const BEHIND: [Behind; 4] = [Behind::Nothing, Behind::Bytes, Behind::Unsynced, Behind::Witness];
const PLACES: [Place; 3] = [Place::Inside, Place::Border, Place::Last];

#[test]
fn exactly_one_line_fits_each_combination_and_every_line_is_used() {
    let mut used = [0; TABLE.len()];
    for seen in SEEN {
        for behind in BEHIND {
            for place in PLACES {
                let fitting: Vec<_> =
                    (0..TABLE.len()).filter(|&i| TABLE[i].fits(seen, behind, place)).collect();
                assert_eq!(fitting.len(), 1, "{seen:?} {behind:?} {place:?}: {fitting:?}");
                used[fitting[0]] += 1;
                assert_eq!(judge(seen, behind, place).label, TABLE[fitting[0]].label);
            }
        }
    }
    assert!(used.iter().all(|&n| n > 0), "{used:?}");
}
