//! The files that a set-up writes: never one that names no database.

use std::fs;

use nyxcore_tests::run_on_sqlite;

use super::cluster::{Installation, url_of};
use super::{doctor, said, set_up, setup};

#[test]
fn setup_writes_no_file_without_a_known_password() {
    run_on_sqlite(|db| async move {
        let installation = Installation::new("unknown");
        set_up(&db, &installation);
        let again = |arguments: &[&str]| said(&mut setup(&db, &installation, arguments));
        let refused = again(&["--output", "elsewhere"]);
        assert_eq!(refused.code(), "SETUP_REFUSED", "{}", refused.err);
        for said_of_it in ["nothing was changed", "not known", "--new-passwords"] {
            assert!(refused.err.contains(said_of_it), "{}", refused.err);
        }
        assert!(!db.folder().join("elsewhere").exists());

        let app = db.folder().join(&installation.name).join("app.env");
        fs::write(&app, "").unwrap();
        let refused = again(&["--output", &installation.name]);
        assert!(
            refused.code() == "SETUP_REFUSED" && refused.err.contains("app.env"),
            "{}",
            refused.err
        );
        let renewed = again(&["--output", &installation.name, "--new-passwords"]);
        assert!(
            renewed.err.contains("wrote ") && renewed.err.contains("next: "),
            "{}",
            renewed.err
        );
        assert!(
            doctor(&db, &url_of(&db, &installation.name, "app.env"))
                .status
                .success()
        );
    });
}
