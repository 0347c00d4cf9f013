//! Sends that count as several messages.

use super::*;

#[test]
fn an_album_waits_for_a_token_for_each_of_its_parts_and_keeps_its_turn() {
    let mut rig = Rig::new(fresh(), 1);
    let first: Vec<u32> = (1..=28).map(|user| rig.reply(user)).collect();
    let album = Parcel { more: 4, ..rig.parcel(100) };
    let album = rig.put(album);
    let behind = rig.reply(101);
    let out = rig.burst();
    assert_eq!(out.iter().map(|dispatch| dispatch.handle).collect::<Vec<_>>(), first);
    // Two tokens are in: not enough for five, and what stands behind does not take them.
    for dispatch in out.iter().take(2) {
        rig.wait(100);
        rig.sent(*dispatch);
    }
    assert_eq!(rig.next_within(1_000), None, "four tokens are in");
    // Nor does it keep what is more urgent from leaving.
    let urgent = Parcel { class: Class::Urgent, ..rig.parcel(102) };
    let urgent = rig.put(urgent);
    assert_eq!(rig.handles(), [urgent]);
    out.iter().skip(2).take(2).for_each(|dispatch| rig.sent(*dispatch));
    assert_eq!(rig.next_within(999), None);
    assert_eq!(rig.next_within(2).map(|dispatch| dispatch.handle), Some(album));
    assert_eq!(rig.poll(), None, "it took all five");
    rig.wait(10);
    rig.sent(out[4]);
    assert_eq!(rig.next_within(1_001).map(|dispatch| dispatch.handle), Some(behind));
}

#[test]
fn an_album_is_charged_to_its_chat_and_its_group_and_comes_back_whole() {
    let mut rig = Rig::new(fresh(), 1);
    let album = |parcel| Parcel { more: 2, ..parcel };
    let (to_chat, to_group) = (album(rig.parcel(1)), Parcel { chat: ChatId(-7), ..album(rig.parcel(2)) });
    let (in_chat, in_group) = (rig.parcel(1), Parcel { chat: ChatId(-7), more: 17, ..rig.parcel(3) });
    for parcel in [to_chat, to_group, in_chat, in_group] {
        rig.put(parcel);
    }
    let start = rig.now;
    for dispatch in rig.burst() {
        rig.sent(dispatch);
    }
    let next = rig.next_within(2_000).expect("a burst was spent, and one a second comes back");
    assert_eq!((next.handle, rig.now.since(start).as_millis()), (in_chat.handle, 1_000));
    rig.sent(next);
    let last = rig.next_within(61_000).expect("3 of the group's 20 are back");
    assert_eq!((last.handle, rig.now.since(start).as_millis()), (in_group.handle, 60_000));
    // One that never left gives all its tokens back, and is charged to nobody.
    rig.pacer.withdraw(rig.now, last.flight, DropReason::Unrenderable);
    let whole = Parcel { more: 29, ..rig.parcel(9) };
    let whole = rig.put(whole);
    assert_eq!(rig.handles(), [whole]);
}

#[test]
fn an_album_of_more_parts_than_there_are_slots_leaves_when_all_are_free() {
    let ceilings = [None, None, None, Some(2)];
    let mut rig = Rig::new(PacerConfig { slots: 5, ceilings, ..fresh() }, 1);
    let ordinary = rig.reply(1);
    let album = Parcel { more: 9, ..rig.parcel(2) };
    let bulk = Parcel { more: 9, class: Class::Bulk, ..rig.parcel(3) };
    let (album, bulk) = (rig.put(album), rig.put(bulk));
    for handle in [ordinary, album, bulk] {
        let dispatch = rig.next_within(1_100).expect("within a second of the last answer");
        assert_eq!((dispatch.handle, rig.poll()), (handle, None));
        rig.sent(dispatch);
    }
}
