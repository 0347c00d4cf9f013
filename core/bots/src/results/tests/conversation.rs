//! What is answered to what.

use super::world::*;
use crate::results::dataset::{Identifiers, NameSearch};
use crate::results::{Settings, Texts};
use nobat_core::bot::{Action, Bot, Call, Content, Input, RenderView};
use nobat_core::envelope::{Class, Payload, Place};
use nobat_core::id::{BotId, ChatId, LaneIx, MessageId, UserId};
use nobat_core::time::{Now, UnixMillis};
use std::time::Duration;

const PUPILS: &[(&str, &str, &str)] = &[
    ("0012345", "زينب عبد الأمير كاظم الجبوري", "42.5"),
    ("12346", "علي حسين كاظم", "88"),
    ("12347", "علي حسين جاسم", "غائب"),
];

fn one() -> World {
    World::with(PUPILS, NameSearch::Off)
}

#[test]
fn a_number_is_answered_with_the_card_in_its_promised_form() {
    let card = one().ask("رقمي ١٢٣٤٥");
    let isolated = |s: &str| s.replace('⟨', "\u{2068}").replace('⟩', "\u{2069}");
    assert_eq!(
        card,
        isolated(
            "نتائج 2026\nالرقم الامتحاني: ⟨0012345⟩\nالاسم: ⟨زينب عبد الأمير كاظم الجبوري⟩\n\
             المدرسة: ⟨ثانوية الرافدين⟩\nالمحافظة: ⟨بغداد⟩\n\nالرياضيات: ⟨42.5⟩ ✗\n\nالمعدل: ⟨42.5⟩\nالنتيجة: ⟨ناجح⟩"
        )
    );
    let mut world = one();
    world.ask("/language en");
    assert_eq!(
        world.ask("12347"),
        isolated(
            "Results 2026\nExam number: ⟨12347⟩\nName: ⟨علي حسين جاسم⟩\nSchool: ⟨ثانوية الرافدين⟩\n\
             Governorate: ⟨بغداد⟩\n\nMathematics: ⟨غائب⟩\n\nAverage: ⟨غائب⟩\nResult: ⟨Passed⟩"
        )
    );
}

#[test]
fn a_card_without_marks_has_one_gap_and_not_two() {
    let mut world = World::with(&[("12348", "علي حسين جاسم", "")], NameSearch::Off);
    let card = world.ask("12348");
    assert!(!card.contains("\n\n\n"), "{card}");
    assert_eq!(card.matches("\n\n").count(), 1, "{card}");
}

#[test]
fn every_text_of_the_conversation_is_said_where_it_belongs() {
    let mut world = one();
    for (text, part) in [
        ("/start", "أهلاً بك"),
        ("/start@some_bot", "أهلاً بك"),
        ("/start h", "1234567"),
        ("/help", "حسب دورك"),
        ("/nonsense", "لم أفهم"),
        ("نتيجتي", "لم أفهم"),
        ("12346 12347", "لم أفهم"),
        ("/start 12346", "علي حسين كاظم"),
        ("99999", "لا توجد نتيجة للرقم \u{2068}99999\u{2069}"),
    ] {
        let said = world.ask(text);
        assert!(said.contains(part), "{text}: {said}");
    }
    world.give(&Input::OtherMessage {
        message: MessageId(1),
        content: Content::Photo,
        caption: "".into(),
        reply_to: None,
        album: "",
    });
    assert!(words(&world.deliver()[0]).contains("لم أفهم"));
    for quiet in [Input::Reachable, Input::Blocked] {
        assert!(world.give(&quiet).is_empty());
    }
}

#[test]
fn without_a_data_set_the_welcome_works_and_questions_are_kept_for_the_hour() {
    let mut world = World::new(Settings::default());
    assert!(world.ask("/start").contains("أهلاً"));
    assert!(world.ask("12346").contains("غير متوفرة"), "the gate is open and nothing is there");
    world.released = false;
    let sends = world.text("12346");
    assert_eq!(sends.len(), 2);
    assert!(!sends[0].held && sends[0].class == Class::Reply);
    assert!(words(&world.render(&sends[0])).contains("سجّلنا طلبك للرقم \u{2068}12346\u{2069}"));
    assert!(
        sends[1].held
            && sends[1].place == Place::InOrder
            && sends[1].class == Class::Bulk
            && sends[1].question != 0
    );
    // Rendered of what is there at the hour.
    world.shelf.put(Some(data_set(PUPILS, schema(NameSearch::Off))));
    assert!(words(&world.render(&sends[1])).contains("علي حسين كاظم"));
}

#[test]
fn before_the_hour_a_repeat_is_told_once_a_minute_and_only_so_many_are_kept() {
    let mut world = one();
    world.released = false;
    world.text("1");
    let sends = world.text("1");
    assert!(words(&world.render(&sends[0])).contains("طلبك مسجّل"));
    assert!(world.text("١").is_empty());
    world.now = world.now.after(Duration::from_secs(60));
    assert_eq!(world.text("1").len(), 1);
    for number in ["2", "3", "4", "5"] {
        assert_eq!(world.text(number).len(), 2);
    }
    let sends = world.text("6");
    assert_eq!(sends.len(), 1);
    assert!(words(&world.render(&sends[0])).contains("العدد المسموح"));
}

#[test]
fn an_impatient_repeat_is_coalesced_and_a_long_wait_is_told_once() {
    let mut world = one();
    assert_eq!(world.text("12346").len(), 1);
    world.wait = Duration::from_secs(9);
    assert!(world.text("12346").is_empty());
    world.wait = Duration::from_millis(90_500);
    let sends = world.text("٠١٢٣٤٦");
    assert_eq!(sends.len(), 1);
    assert!(sends[0].class == Class::Reply && sends[0].place == Place::Ahead && sends[0].question == 0);
    assert_eq!(sends[0].deadline, Some(world.now.after(Duration::from_secs(5))));
    let said = world.render(&sends[0]);
    assert!(words(&said).contains("\u{2068}2\u{2069}") && words(&said).contains("\u{2068}91\u{2069}"));
    world.queue.truncate(1);
    assert!(world.text("12346").is_empty(), "told once per wait");
    world.now = world.now.after(Duration::from_secs(91));
    assert_eq!(world.text("12346").len(), 1, "and again when that wait should be over");
    world.deliver();
    assert!(world.ask("12346").contains("علي حسين كاظم"), "a new question once the answer has left");
}

#[test]
fn too_many_misses_shut_the_look_up_for_a_while() {
    let mut world = one();
    for miss in 0..5 {
        assert!(world.ask(&format!("9999{miss}")).contains("لا توجد نتيجة"));
    }
    for text in ["12346", "99999"] {
        let said = world.ask(text);
        assert!(said.contains("أرقاماً غير صحيحة") && said.contains("\u{2068}10\u{2069}"), "{said}");
    }
    world.text("12346");
    assert!(world.text("12345").is_empty(), "one notice at a time");
    world.queue.clear();
    world.now = world.now.after(Duration::from_secs(600));
    assert!(world.ask("12346").contains("علي حسين كاظم"));
    world.ask("99999");
    assert_eq!(world.state.misses, 1, "counted afresh");
}

#[test]
fn a_clock_set_back_shuts_nobody_out_for_longer() {
    let mut world = one();
    world.ask("99999");
    world.now = UnixMillis(5);
    world.ask("99998");
    assert_eq!((world.state.misses, world.state.misses_since), (1, UnixMillis(5)));
}

#[test]
fn too_fast_is_one_notice_that_says_how_long() {
    let mut world = one();
    let until = world.now.after(Duration::from_millis(1_200));
    let sends = world.give(&Input::TooFast { until });
    assert_eq!((sends.len(), sends[0].deadline, sends[0].place), (1, None, Place::InOrder));
    world.text("12346");
    let behind = &world.give(&Input::TooFast { until })[0];
    assert_eq!((behind.deadline, behind.place), (None, Place::InOrder), "late, but never dropped");
    assert!(words(&world.render(&sends[0])).contains("\u{2068}2\u{2069}"));
}

#[test]
fn where_a_code_is_required_a_number_alone_or_with_a_wrong_code_shows_nothing() {
    let mut world = World::new(Settings::default());
    let mut schema = schema(NameSearch::Candidates);
    schema.identifiers = Identifiers::NumberAndCode;
    world.shelf.put(Some(data_set(PUPILS, schema)));
    assert!(world.ask("/start").contains("1234567 4321"));
    assert!(world.ask("12346").contains("الرمز السري"));
    assert_eq!(world.state.misses, 0, "a wrong form is no miss");
    let wrong_code = world.ask("12346 00000");
    let wrong_number = world.ask("12399 64321");
    assert_eq!(wrong_code.replace("12346", "N"), wrong_number.replace("12399", "N"));
    assert_eq!(world.state.misses, 2);
    assert!(world.ask("12346 64321").contains("علي حسين كاظم"));
    // Asked before anyone knew of the code: at the hour he is told what is missing.
    world.shelf.put(None);
    world.released = false;
    let held = world.text("12346").remove(1);
    let mut codes = super::world::schema(NameSearch::Off);
    codes.identifiers = Identifiers::NumberAndCode;
    world.shelf.put(Some(data_set(PUPILS, codes)));
    assert!(words(&world.render(&held)).contains("الرمز السري"));
}

#[test]
fn several_of_a_name_are_told_apart_by_buttons_and_the_chosen_one_gets_his_card() {
    let mut world = World::with(PUPILS, NameSearch::Full);
    world.text("على حُسين");
    let list = world.deliver().remove(0);
    let labels: Vec<_> = buttons(&list).into_iter().map(|b| b.text).collect();
    assert_eq!(labels.len(), 2);
    assert!(labels[0].contains("علي حسين جاسم، ثانوية الرافدين، بغداد"), "{labels:?}");
    let sends = world.press(data(&buttons(&list)[1]));
    assert!(sends[0].pinned && sends[0].place == Place::Call && sends[0].class == Class::Urgent);
    assert!(!sends[1].pinned && sends[1].place == Place::InOrder);
    let calls = world.deliver();
    assert_eq!(calls[0], Call::AnswerCallback { id: "77".into(), text: String::new(), alert: false });
    assert!(
        words(&calls[1]).contains("\u{2068}12346\u{2069}") && words(&calls[1]).contains("\u{2068}88\u{2069}")
    );
    // The only one of his name needs no list.
    assert!(world.ask("زينب عبدالامير").contains("\u{2068}0012345\u{2069}"));
    assert!(world.ask("زينب حسين").contains("لم نجد"));
}

#[test]
fn candidates_show_neither_marks_nor_the_number_that_gives_them() {
    let mut world = World::with(PUPILS, NameSearch::Candidates);
    world.text("علي حسين");
    let list = world.deliver().remove(0);
    world.press(data(&buttons(&list)[0]));
    let said = words(&world.deliver()[1]).to_owned();
    assert!(said.contains("علي حسين جاسم") && said.contains("أرسل الرقم"), "{said}");
    assert!(!said.contains("12347") && !said.contains("غائب"), "{said}");
    // Not in the buttons either: a client shows their data to whoever looks.
    for number in [12_346u64, 12_347] {
        let shown = format!("{list:?}");
        assert!(!shown.contains(&number.to_string()) && !shown.contains(&format!("{number:x}")), "{shown}");
        assert!(!shown.contains(&format!("{:x}", number << 4)), "{shown}");
    }
}

#[test]
fn what_has_buttons_goes_through_the_bot_that_will_hear_of_the_press() {
    let mut world = World::with(PUPILS, NameSearch::Full);
    for (text, pinned) in [("علي حسين", true), ("/language", true), ("12345", false), ("/start", false)]
    {
        let sends = world.text(text);
        assert!(sends.iter().all(|send| send.pinned == pinned), "{text}");
        let calls = world.deliver();
        assert_eq!(calls.iter().any(|call| !buttons(call).is_empty()), pinned, "{text}");
    }
    world.released = false;
    let held = world.text("علي حسين").into_iter().find(|send| send.held).expect("kept for the hour");
    assert!(held.pinned);
}

#[test]
fn where_names_open_nothing_a_made_up_choice_is_nothing_either() {
    let mut full = World::with(PUPILS, NameSearch::Full);
    full.text("علي حسين");
    let list = full.deliver().remove(0);
    let mut world = World::with(PUPILS, NameSearch::Candidates);
    world.text("علي حسين");
    world.deliver();
    // The user knows number and name, so he can make the button that another configuration would give.
    world.press(data(&buttons(&list)[0]));
    let calls = world.deliver();
    assert!(matches!(&calls[..], [Call::AnswerCallback { alert: true, .. }]), "{calls:?}");
}

#[test]
fn a_long_list_has_pages_that_only_its_owner_can_turn() {
    let pupils: Vec<(String, String)> =
        (0..20).map(|i| (format!("{}", 500 + i), format!("علي حسين {}", ["كاظم", "جاسم"][i % 2]))).collect();
    let pupils: Vec<(&str, &str, &str)> =
        pupils.iter().map(|(number, name)| (number.as_str(), name.as_str(), "70")).collect();
    let mut world = World::with(&pupils, NameSearch::Full);
    world.text("علي حسين");
    let page = world.deliver().remove(0);
    assert_eq!(buttons(&page).len(), 8 + 1);
    let next = data(&buttons(&page)[8]).to_owned();
    world.press(&next);
    let calls = world.deliver();
    assert!(matches!(&calls[1], Call::EditText { message: MessageId(9), .. }));
    assert_eq!(buttons(&calls[1]).len(), 8 + 2);
    let choice = data(&buttons(&page)[0]).to_owned();
    world.user = UserId(6);
    for stolen in [&next, &choice] {
        world.press(stolen);
        let calls = world.deliver();
        assert_eq!(calls.len(), 1);
        assert!(matches!(&calls[0], Call::AnswerCallback { alert: true, text, .. } if !text.is_empty()));
    }
}

#[test]
fn a_language_is_chosen_by_button_and_kept() {
    let mut world = one();
    world.text("/language");
    let menu = world.deliver().remove(0);
    world.press(data(&buttons(&menu)[1]));
    assert!(words(&world.deliver()[1]).contains("English"));
    assert!(world.ask("/help").starts_with("Send your exam number"));
}

#[test]
fn the_way_to_the_own_lane_is_shown_elsewhere_only() {
    let names = vec!["main_bot".to_owned(), "second_bot".to_owned()];
    let mut world = World::new(Settings { handoff: names, ..Settings::default() });
    world.lanes = 2;
    world.text("/start");
    let home = buttons(&world.deliver()[0]);
    assert_eq!(home[0].action, Action::Url("https://t.me/second_bot?start=h".into()));
    world.lane = 1;
    world.text("/start h");
    assert!(buttons(&world.deliver()[0]).is_empty());
}

#[test]
fn the_operators_words_are_spoken() {
    let mut texts = Texts::default();
    texts.replace(crate::results::Language::Arabic, "[not_found]\nما لقينا {number}").unwrap();
    let mut world = World::new(Settings { texts, ..Settings::default() });
    world.shelf.put(Some(data_set(PUPILS, schema(NameSearch::Off))));
    assert_eq!(world.ask("99999"), "ما لقينا \u{2068}99999\u{2069}");
}

#[test]
fn arguments_that_are_none_are_refused_and_not_guessed() {
    let world = one();
    let view = RenderView {
        now: Now::default(),
        user: UserId(1),
        chat: ChatId(1),
        lane: LaneIx(0),
        bot: BotId(1),
        refers: None,
    };
    for (template, args) in [(0, vec![]), (6, vec![0; 3]), (6, vec![9; 18]), (99, vec![0])] {
        assert!(world.bot.render(&view, &Payload { template, args: args.into() }).is_err());
    }
}
