//! Accounts: the forms of addresses and passwords, the limits of sign-up, and lockouts.

use nyxcore_tenancy::sign_in::{
    ACCOUNT_FAILURES, PasswordHasher, SIGN_UPS_PER_ADDRESS, SignUp, WINDOW, account_sign_up,
    password_reset, password_sign_in,
};
use nyxcore_tenancy::{Error, Store, User};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::ConnectionTrait;

use super::{GOOD, from, number, owner, password};
use crate::support::{store, store_at_rest};

async fn sign_up(
    store: &Store,
    hasher: &PasswordHasher,
    email: &str,
    name: &str,
    network: &str,
) -> Result<User, Error> {
    let made = account_sign_up(
        store,
        hasher,
        SignUp::Open,
        (email, name),
        &password(GOOD),
        &from(network),
    )
    .await;
    made.map(|(user, _)| user)
}

on_both_databases! {
    async fn a_password_opens_in_every_normal_form(db: TestDatabase) {
        let store = store(&db).await;
        let hasher = PasswordHasher::new().unwrap();
        let ada = owner(&store, &hasher, "acme").await;
        password_reset(&store, &hasher, &ada.email, &password("caf\u{e9} au lait, un grand")).await.unwrap();
        let typed = password("cafe\u{301} au lait, un grand");
        password_sign_in(&store, &hasher, &ada.email, &typed, &from("192.0.2.1")).await.unwrap();
    }

    async fn a_password_that_is_guessed_first_is_not_taken(db: TestDatabase) {
        let store = store(&db).await;
        let hasher = PasswordHasher::new().unwrap();
        let ada = owner(&store, &hasher, "acme").await;
        for text in ["            ", "aaaaaaaaaaaa", "passwordpassword", "Football 2024!", "owner@acme.example"] {
            let refused = password_reset(&store, &hasher, &ada.email, &password(text)).await.unwrap_err();
            assert_eq!(refused.code(), "INVALID_INPUT", "{text:?}");
        }
    }

    async fn spellings_of_one_address_are_one_account(db: TestDatabase) {
        let store = store(&db).await;
        let hasher = PasswordHasher::new().unwrap();
        let made = sign_up(&store, &hasher, "Ada@München.DE", "Ada", "192.0.2.1").await.unwrap();
        assert_eq!(made.email, "ada@xn--mnchen-3ya.de");
        for email in ["ada@münchen.de", "ada@xn--mnchen-3ya.de", "ADA@XN--MNCHEN-3YA.DE", "ada@mu\u{308}nchen.de"] {
            let taken = sign_up(&store, &hasher, email, "Ada", "192.0.2.1").await.unwrap_err();
            assert_eq!(taken.code(), "CONFLICT", "{email}");
            password_sign_in(&store, &hasher, email, &password(GOOD), &from("192.0.2.1")).await.unwrap();
        }
    }

    async fn a_hostile_address_or_name_makes_no_account(db: TestDatabase) {
        let store = store(&db).await;
        let hasher = PasswordHasher::new().unwrap();
        for email in ["a@example..org", "<script>@example.org", "аda@example.org", "a@127.0.0.1", "a\0@example.org", "a@example.org\nBcc: b@example.org"] {
            let refused = sign_up(&store, &hasher, email, "Ada", "192.0.2.1").await.unwrap_err();
            assert_eq!(refused.code(), "INVALID_INPUT", "{email:?}");
        }
        for name in ["Ada\u{202e}", "Ada\nLovelace", "Ada\u{200b}", "Ada\0", "\u{2066}Ada", &"a".repeat(201)] {
            let refused = sign_up(&store, &hasher, "ada@example.org", name, "192.0.2.1").await.unwrap_err();
            assert_eq!(refused.code(), "INVALID_INPUT", "{name:?}");
        }
        assert_eq!(number(&db, "SELECT count(*) FROM users").await, 0);
        sign_up(&store, &hasher, "ada@example.org", " Ада 明日香 ", "192.0.2.1").await.unwrap();
    }

    async fn an_address_of_old_still_signs_in(db: TestDatabase) {
        let store = store(&db).await;
        let hasher = PasswordHasher::new().unwrap();
        owner(&store, &hasher, "acme").await;
        let plain = db.superuser_connection().await.unwrap();
        plain.execute_unprepared("UPDATE users SET email = 'оwner@acme.example'").await.unwrap();
        password_sign_in(&store, &hasher, "Оwner@acme.example", &password(GOOD), &from("192.0.2.1")).await.unwrap();
    }

    async fn one_network_makes_few_accounts(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let hasher = PasswordHasher::new().unwrap();
        for n in 0..SIGN_UPS_PER_ADDRESS {
            sign_up(&store, &hasher, &format!("user{n}@example.org"), "", &format!("2001:db8:1:2::{n:x}")).await.unwrap();
        }
        let before = hasher.computed();
        let refused = sign_up(&store, &hasher, "more@example.org", "", "2001:db8:1:2::ffff").await.unwrap_err();
        assert_eq!((refused.code(), hasher.computed()), ("TOO_MANY_ATTEMPTS", before));
        // Users with accounts can still sign in from there, and other people can sign up from elsewhere.
        password_sign_in(&store, &hasher, "user0@example.org", &password(GOOD), &from("2001:db8:1:2::1")).await.unwrap();
        sign_up(&store, &hasher, "more@example.org", "", "2001:db8:1:3::1").await.unwrap();
        clock.advance(WINDOW);
        sign_up(&store, &hasher, "last@example.org", "", "2001:db8:1:2::1").await.unwrap();
    }

    async fn guessing_from_elsewhere_locks_nobody_out(db: TestDatabase) {
        let (store, _clock) = store_at_rest(&db).await;
        let hasher = PasswordHasher::new().unwrap();
        let ada = owner(&store, &hasher, "acme").await;
        let sign_in = async |text: &str, network: &str| {
            let signed_in = password_sign_in(&store, &hasher, &ada.email, &password(text), &from(network)).await;
            signed_in.map_or_else(|error| error.code(), |_| "OK")
        };
        assert_eq!(sign_in(GOOD, "192.0.2.1").await, "OK");
        for guess in 0..ACCOUNT_FAILURES + 5 {
            let expected = if guess < ACCOUNT_FAILURES { "SIGN_IN_REFUSED" } else { "TOO_MANY_ATTEMPTS" };
            assert_eq!(sign_in("a wrong password", &format!("198.51.100.{guess}")).await, expected);
        }
        assert_eq!(sign_in(GOOD, "192.0.2.1").await, "OK", "a network that the account has a session from");
        assert_eq!(sign_in(GOOD, "203.0.113.1").await, "TOO_MANY_ATTEMPTS", "a network that it has none from");
        // An attacker within the known network has the same number of tries as others.
        for _ in 0..ACCOUNT_FAILURES {
            assert_eq!(sign_in("a wrong password", "192.0.2.1").await, "SIGN_IN_REFUSED");
        }
        assert_eq!(sign_in(GOOD, "192.0.2.1").await, "TOO_MANY_ATTEMPTS");
    }
}
