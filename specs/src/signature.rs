//! Vectors of keys and signatures: where two honest libraries might disagree.
//!
//! The list of edges follows "Taming the many EdDSAs" (2020) and "It's 255:19AM" (2020); the
//! points and signatures are made here.

use schemas::key::SecretKey;

use crate::case::{Case, File, Level, hex, unhex};
use crate::curve::{self, Forger, Twist, beyond, join, split};

/// `key.json`.
pub fn keys() -> File {
    let mut cases = Vec::new();
    for seed in [1, 2, 3] {
        let key = SecretKey::from_seed(&[seed; 32]).public();
        let case = key_case(&format!("key of seed {seed}"), "ok", key.as_bytes(), "an honest key");
        cases.push(Case { value: Some(key.did()), ..case });
    }
    let mixed = key_case("key of mixed order", "ok", &Forger::new([4; 32]).public(1), "not of small order");
    cases.push(mixed);
    for (at, point) in curve::torsion().iter().enumerate() {
        let name = format!("point of small order {at}");
        cases.push(key_case(&name, "key-weak", point, "anyone can sign under it"));
    }
    for (at, point) in curve::twisted().iter().enumerate() {
        // Where only the sign is wrong, x is 0, and that is a point of small order.
        let below = point[31] & 0x7f != 0x7f || point[0] < 0xed;
        let code = if below { "key-weak" } else { "key-encoding" };
        let name = format!("point of small order, non-canonical {at}");
        cases.push(key_case(&name, code, point, "a key has one encoding"));
    }
    let mut prime = [0xff; 32];
    (prime[0], prime[31]) = (0xf0, 0x7f);
    cases.extend([
        key_case("y beyond the prime", "key-encoding", &prime, "y is below 2^255 - 19"),
        key_case("all ones", "key-encoding", &[0xff; 32], "y is below 2^255 - 19"),
        key_case("off the curve", "key-encoding", &curve::off_curve(), "no x belongs to this y"),
        key_case("31 bytes", "key-encoding", &[1; 31], "32 bytes"),
        key_case("33 bytes", "key-encoding", &[1; 33], "32 bytes"),
        key_case("no bytes", "key-encoding", &[], "32 bytes"),
    ]);
    File::new("key", "Ed25519 public keys. What is accepted has its did:key as value.", cases)
}

fn key_case(name: &str, expect: &str, key: &[u8], reason: &str) -> Case {
    Case::bad(name, Level::Signature, expect, key, reason)
}

/// `signature.json`.
pub fn file() -> File {
    let cases = [standard(), flips(), answers(), nonces(), mixed(), weak()].concat();
    let about = "Ed25519 signatures over `message` under `key`, cofactorless and strict: RFC 8032 with S below the \
                 order, canonical points, and neither key nor R of small order.";
    File::new("signature", about, cases)
}

fn case(name: &str, expect: &str, key: [u8; 32], message: &[u8], signature: [u8; 64], reason: &str) -> Case {
    let case = Case::bad(name, Level::Signature, expect, &signature, reason);
    Case { key: Some(hex(&key)), message: Some(hex(message)), ..case }
}

const MESSAGE: &[u8] = b"figure";

fn honest() -> ([u8; 32], [u8; 64]) {
    let key = SecretKey::from_seed(&[1; 32]);
    (*key.public().as_bytes(), key.sign(MESSAGE))
}

fn bad(name: &str, signature: [u8; 64], reason: &str) -> Case {
    case(name, "signature", honest().0, MESSAGE, signature, reason)
}

/// RFC 8032, section 7.1: seeds and messages of the first tests.
const STANDARD: &[(&str, &str)] = &[
    ("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", ""),
    ("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "72"),
    ("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "af82"),
];

fn standard() -> Vec<Case> {
    let one = |(at, (seed, message)): (usize, &(&str, &str))| {
        let seed: [u8; 32] = unhex(seed).try_into().expect("a seed");
        let (key, message) = (SecretKey::from_seed(&seed), unhex(message));
        let name = format!("RFC 8032 test {}", at + 1);
        case(&name, "ok", *key.public().as_bytes(), &message, key.sign(&message), "section 7.1")
    };
    STANDARD.iter().enumerate().map(one).collect()
}

fn flips() -> Vec<Case> {
    let (key, signature) = honest();
    let flipped = |at: usize, bit: u8| {
        let mut signature = signature;
        signature[at] ^= 1 << bit;
        signature
    };
    let other = SecretKey::from_seed(&[2; 32]);
    vec![
        case("honest", "ok", key, MESSAGE, signature, "as RFC 8032 signs"),
        bad("first bit of R", flipped(0, 0), "every bit counts"),
        bad("sign of R", flipped(31, 7), "every bit counts"),
        bad("first bit of S", flipped(32, 0), "every bit counts"),
        bad("bit 252 of S", flipped(63, 4), "every bit counts"),
        bad("bit 253 of S", flipped(63, 5), "S is below the order, not merely below 2^253"),
        bad("bit 255 of S", flipped(63, 7), "S is below the order"),
        case("other message", "signature", key, b"Figure", signature, "a signature is over its message"),
        case("other key", "signature", *other.public().as_bytes(), MESSAGE, signature, "and under its key"),
        bad("halves swapped", join(split(signature).1, split(signature).0), "R comes first"),
        bad("zeros", [0; 64], "not a signature"),
        bad("ones", [0xff; 64], "not a signature"),
    ]
}

fn answers() -> Vec<Case> {
    let (_, signature) = honest();
    let zero = join([0; 32], [0; 32]);
    let mut cases: Vec<Case> = (1..=8)
        .map(|times| {
            let name = format!("S plus {times} times the order");
            bad(&name, beyond(signature, times), "S is below the order: else anyone makes a second signature")
        })
        .collect();
    cases.push(bad(
        "S is the order",
        join(split(signature).0, split(beyond(zero, 1)).1),
        "S is below the order",
    ));
    cases
}

fn nonces() -> Vec<Case> {
    let forger = Forger::new([1; 32]);
    let mut cases = Vec::new();
    for nonce in 0..8 {
        let (signature, _) = forger.sign(MESSAGE, Twist { key: 0, nonce, zero: true });
        let name = format!("R of small order {nonce}");
        cases.push(bad(&name, signature, "R of small order, even where the equation holds"));
        if nonce > 0 {
            let (signature, _) = forger.sign(MESSAGE, Twist { key: 0, nonce, zero: false });
            let name = format!("R of mixed order {nonce}");
            cases.push(bad(&name, signature, "the equation holds only times 8"));
        }
    }
    for (at, point) in curve::twisted().into_iter().enumerate() {
        let (signature, _) = forger.sign(MESSAGE, Twist { key: 0, nonce: 0, zero: true });
        let name = format!("R non-canonical {at}");
        cases.push(bad(&name, join(point, split(signature).1), "R is compared as bytes"));
    }
    cases
}

/// A key of mixed order: the plain equation holds only if the challenge wipes out what was added.
fn mixed() -> Vec<Case> {
    let forger = Forger::new([4; 32]);
    let mut cases = Vec::new();
    for key in [1, 3] {
        let twist = Twist { key, nonce: 0, zero: false };
        for (multiple, expect) in [(true, "ok"), (false, "signature")] {
            let message = forger.message(twist, multiple);
            let (signature, _) = forger.sign(&message, twist);
            let word = if multiple { "a multiple" } else { "no multiple" };
            let name = format!("key of mixed order {key}, challenge {word} of 8");
            let reason = "cofactorless: S times the base is R plus the challenge times the key, exactly";
            cases.push(case(&name, expect, forger.public(key), &message, signature, reason));
        }
    }
    cases
}

/// Signatures that anybody can make under a key of small order.
fn weak() -> Vec<Case> {
    let forger = Forger::new([5; 32]);
    let nonce = split(forger.sign(MESSAGE, Twist { key: 0, nonce: 0, zero: false }).0).0;
    let torsion = curve::torsion();
    let point = forger.public(0);
    let secretless = {
        // Under the neutral element the challenge does not matter: R is S times the base.
        let mut one = [0; 32];
        one[0] = 1;
        join(Forger::base(), one)
    };
    vec![
        case(
            "forged under the neutral element",
            "key-weak",
            torsion[0],
            MESSAGE,
            secretless,
            "needs no secret",
        ),
        case(
            "R and key of small order",
            "key-weak",
            torsion[4],
            MESSAGE,
            join(torsion[4], [0; 32]),
            "S is 0",
        ),
        case(
            "S is 0 under an honest key",
            "signature",
            point,
            MESSAGE,
            join(nonce, [0; 32]),
            "not the equation",
        ),
    ]
}
