//! The local model in a build without the feature `local-embeddings`; `just test-local-embeddings` tests the other.

use nyxcore_tests::{nyxcore_command, run_on_sqlite};

use super::{repository, said};

#[test]
fn a_build_without_the_local_model_says_how_to_get_it() {
    run_on_sqlite(|db| async move {
        let repository = repository(&db, "atlas");
        let path = repository.path().to_str().unwrap();
        for arguments in [
            &["models", "pull"][..],
            &["models", "pull", "--from", "model.whl"],
            &["eval", path, "--local-embeddings"],
        ] {
            let refused = said(nyxcore_command(&db).unwrap().args(arguments));
            assert_eq!(refused.code(), "LOCAL_MODEL_NOT_BUILT", "{}", refused.err);
            assert!(
                refused.err.contains("--features local-embeddings"),
                "{}",
                refused.err
            );
        }
        assert!(!db.folder().join("data").exists(), "nothing is made");
        let doctor = said(nyxcore_command(&db).unwrap().arg("doctor"));
        assert!(!doctor.out.contains("local model"), "{}", doctor.out);
    });
}
