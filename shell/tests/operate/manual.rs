//! Completions and manual pages are made by the binary itself.

use crate::process::Place;

#[test]
fn every_shell_has_its_script_and_every_command_its_page() {
    let place = Place::new(([127, 0, 0, 1], 9).into());
    for shell in ["bash", "zsh", "fish"] {
        let (status, out, says) = place.ask(&["completions", shell]);
        assert!(status == 0 && out.contains("add-token") && out.contains("webhook"), "{shell}: {says}");
    }
    let (status, out, _) = place.ask(&["man"]);
    assert!(status == 0 && out.contains(".TH nobat 1"), "{out}");
    let (status, _, says) = place.ask(&["man", "--dir", "pages"]);
    assert_eq!(status, 0, "{says}");
    for page in ["nobat.1", "nobat-serve.1", "nobat-ctl-upgrade.1", "nobat-webhook-setup.1"] {
        let text = std::fs::read_to_string(place.path("pages").join(page)).expect(page);
        assert!(text.contains(".SH SYNOPSIS"), "{page}");
    }
    let (status, _, says) = place.ask(&["completions", "cmd"]);
    assert!(status == 2 && says.contains("bash"), "{says}");
}
