//! Methods whose whole emulation is `true`: they change what this platform does not keep.

/// In lower case, sorted: looked up by binary search.
const YES: [&str; 57] = [
    "answerinlinequery",
    "answershippingquery",
    "answerwebappquery",
    "approvechatjoinrequest",
    "banchatmember",
    "banchatsenderchat",
    "close",
    "closeforumtopic",
    "closegeneralforumtopic",
    "createchatinvitelink",
    "declinechatjoinrequest",
    "deletechatphoto",
    "deletechatstickerset",
    "deleteforumtopic",
    "deletemycommands",
    "deletestickerfromset",
    "deletestickerset",
    "editforumtopic",
    "editgeneralforumtopic",
    "hidegeneralforumtopic",
    "leavechat",
    "logout",
    "pinchatmessage",
    "promotechatmember",
    "readbusinessmessage",
    "removechatverification",
    "removeuserverification",
    "reopenforumtopic",
    "reopengeneralforumtopic",
    "restrictchatmember",
    "revokechatinvitelink",
    "setchatadministratorcustomtitle",
    "setchatdescription",
    "setchatmenubutton",
    "setchatpermissions",
    "setchatphoto",
    "setchatstickerset",
    "setchattitle",
    "setcustomemojistickersetthumbnail",
    "setgamescore",
    "setmycommands",
    "setmydefaultadministratorrights",
    "setmydescription",
    "setmyname",
    "setmyshortdescription",
    "setpassportdataerrors",
    "setstickeremojilist",
    "setstickerkeywords",
    "setstickermaskposition",
    "setstickersettitle",
    "setuseremojistatus",
    "unbanchatmember",
    "unbanchatsenderchat",
    "unhidegeneralforumtopic",
    "unpinallchatmessages",
    "unpinchatmessage",
    "verifyuser",
];

/// True if the method exists and is answered `true`.
pub(super) fn answered_yes(method: &str) -> bool {
    YES.binary_search(&method).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_sorted_and_in_lower_case() {
        assert!(YES.windows(2).all(|w| w[0] < w[1]));
        assert!(YES.iter().all(|name| !name.bytes().any(|b| b.is_ascii_uppercase())));
    }
}
