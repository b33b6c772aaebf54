//! Vectors of keys and signatures on which Ed25519 libraries are known to disagree.
//!
//! The list follows "Taming the many EdDSAs" (2020) and "It's 255:19AM" (2020); the points and
//! signatures are computed here.

use schemas::key::SecretKey;
use testkit::hex::{decode_hex, encode_hex};

use crate::bad_points::{self, Forger, PointTwist, add_group_order, join_signature, split_signature};
use crate::vector::{VectorCase, VectorFile, VectorLevel};

/// `key.json`.
pub fn key_file() -> VectorFile {
    let mut cases = Vec::new();
    for seed in [1, 2, 3] {
        let key = SecretKey::from_seed(&[seed; 32]).public();
        let case = key_case(&format!("key of seed {seed}"), "ok", key.as_bytes(), "an honest key");
        cases.push(VectorCase { value: Some(key.did()), ..case });
    }
    let mixed =
        key_case("key of mixed order", "ok", &Forger::new([4; 32]).public_key(1), "not of small order");
    cases.push(mixed);
    for (at, point) in bad_points::torsion_points().iter().enumerate() {
        let name = format!("point of small order {at}");
        cases.push(key_case(&name, "key-weak", point, "anyone can sign for such a key"));
    }
    for (at, point) in bad_points::non_canonical_points().iter().enumerate() {
        // With a y below the prime only the sign is wrong. Then x is 0, so the point has small order,
        // and that is reported first.
        let below = point[31] & 0x7f != 0x7f || point[0] < 0xed;
        let code = if below { "key-weak" } else { "key-encoding" };
        let name = format!("point of small order, non-canonical {at}");
        cases.push(key_case(&name, code, point, "a key has one encoding"));
    }
    let mut prime = [0xff; 32];
    // 2^255 - 16, three above the prime.
    (prime[0], prime[31]) = (0xf0, 0x7f);
    cases.extend([
        key_case("y beyond the prime", "key-encoding", &prime, "y is below 2^255 - 19"),
        key_case("all ones", "key-encoding", &[0xff; 32], "y is below 2^255 - 19"),
        key_case("off the curve", "key-encoding", &bad_points::off_curve(), "no x belongs to this y"),
        key_case("31 bytes", "key-encoding", &[1; 31], "32 bytes"),
        key_case("33 bytes", "key-encoding", &[1; 33], "32 bytes"),
        key_case("no bytes", "key-encoding", &[], "32 bytes"),
    ]);
    VectorFile::new("key", "Ed25519 public keys. Accepted keys have their did:key as value.", cases)
}

fn key_case(name: &str, expect: &str, key: &[u8], reason: &str) -> VectorCase {
    VectorCase::refused(name, VectorLevel::Signature, expect, key, reason)
}

/// `signature.json`.
pub fn vector_file() -> VectorFile {
    let cases = [
        standard_cases(),
        flipped_bit_cases(),
        scalar_cases(),
        nonce_cases(),
        mixed_order_cases(),
        weak_key_cases(),
    ]
    .concat();
    let about = "Ed25519 signatures over `message` under `key`, cofactorless and strict: RFC 8032 with S below the \
                 order, canonical points, and neither key nor R of small order.";
    VectorFile::new("signature", about, cases)
}

fn signature_case(
    name: &str,
    expect: &str,
    key: [u8; 32],
    message: &[u8],
    signature: [u8; 64],
    reason: &str,
) -> VectorCase {
    let case = VectorCase::refused(name, VectorLevel::Signature, expect, &signature, reason);
    VectorCase { key: Some(encode_hex(&key)), message: Some(encode_hex(message)), ..case }
}

const MESSAGE: &[u8] = b"figure";

fn honest_signature() -> ([u8; 32], [u8; 64]) {
    let key = SecretKey::from_seed(&[1; 32]);
    (*key.public().as_bytes(), key.sign(MESSAGE))
}

fn refused_signature(name: &str, signature: [u8; 64], reason: &str) -> VectorCase {
    signature_case(name, "signature", honest_signature().0, MESSAGE, signature, reason)
}

/// RFC 8032, section 7.1: seeds and messages of the first tests.
const STANDARD_TESTS: &[(&str, &str)] = &[
    ("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", ""),
    ("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "72"),
    ("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "af82"),
];

fn standard_cases() -> Vec<VectorCase> {
    let one = |(at, (seed, message)): (usize, &(&str, &str))| {
        let seed: [u8; 32] = decode_hex(seed).try_into().expect("a seed");
        let (key, message) = (SecretKey::from_seed(&seed), decode_hex(message));
        let name = format!("RFC 8032 test {}", at + 1);
        signature_case(&name, "ok", *key.public().as_bytes(), &message, key.sign(&message), "section 7.1")
    };
    STANDARD_TESTS.iter().enumerate().map(one).collect()
}

fn flipped_bit_cases() -> Vec<VectorCase> {
    let (key, signature) = honest_signature();
    let flipped = |at: usize, bit: u8| {
        let mut signature = signature;
        signature[at] ^= 1 << bit;
        signature
    };
    let other = SecretKey::from_seed(&[2; 32]);
    vec![
        signature_case("honest", "ok", key, MESSAGE, signature, "as RFC 8032 signs"),
        refused_signature("first bit of R", flipped(0, 0), "every bit counts"),
        refused_signature("sign of R", flipped(31, 7), "every bit counts"),
        refused_signature("first bit of S", flipped(32, 0), "every bit counts"),
        refused_signature("bit 252 of S", flipped(63, 4), "every bit counts"),
        refused_signature("bit 253 of S", flipped(63, 5), "S is below the order, not merely below 2^253"),
        refused_signature("bit 255 of S", flipped(63, 7), "S is below the order"),
        signature_case(
            "other message",
            "signature",
            key,
            b"Figure",
            signature,
            "a signature is over its message",
        ),
        signature_case(
            "other key",
            "signature",
            *other.public().as_bytes(),
            MESSAGE,
            signature,
            "and under its key",
        ),
        refused_signature(
            "halves swapped",
            join_signature(split_signature(signature).1, split_signature(signature).0),
            "R comes first",
        ),
        refused_signature("zeros", [0; 64], "not a signature"),
        refused_signature("ones", [0xff; 64], "not a signature"),
    ]
}

fn scalar_cases() -> Vec<VectorCase> {
    let (_, signature) = honest_signature();
    let zero = join_signature([0; 32], [0; 32]);
    let mut cases: Vec<VectorCase> = (1..=8)
        .map(|times| {
            let name = format!("S plus {times} times the order");
            refused_signature(
                &name,
                add_group_order(signature, times),
                "S is below the order: otherwise anyone could make a second signature",
            )
        })
        .collect();
    cases.push(refused_signature(
        "S is the order",
        join_signature(split_signature(signature).0, split_signature(add_group_order(zero, 1)).1),
        "S is below the order",
    ));
    cases
}

fn nonce_cases() -> Vec<VectorCase> {
    let forger = Forger::new([1; 32]);
    let mut cases = Vec::new();
    for nonce in 0..8 {
        let (signature, _) = forger.sign(MESSAGE, PointTwist { key: 0, nonce, zero: true });
        let name = format!("R of small order {nonce}");
        cases.push(refused_signature(&name, signature, "R of small order, even where the equation holds"));
        if nonce > 0 {
            let (signature, _) = forger.sign(MESSAGE, PointTwist { key: 0, nonce, zero: false });
            let name = format!("R of mixed order {nonce}");
            cases.push(refused_signature(&name, signature, "the equation holds only times 8"));
        }
    }
    for (at, point) in bad_points::non_canonical_points().into_iter().enumerate() {
        let (signature, _) = forger.sign(MESSAGE, PointTwist { key: 0, nonce: 0, zero: true });
        let name = format!("R non-canonical {at}");
        cases.push(refused_signature(
            &name,
            join_signature(point, split_signature(signature).1),
            "R is compared as bytes",
        ));
    }
    cases
}

/// Keys of mixed order: the cofactorless equation holds only if the challenge is a multiple of 8,
/// which cancels the added point.
fn mixed_order_cases() -> Vec<VectorCase> {
    let forger = Forger::new([4; 32]);
    let mut cases = Vec::new();
    // Odd multiples of the generator of the torsion have order 8.
    for key in [1, 3] {
        let twist = PointTwist { key, nonce: 0, zero: false };
        for (multiple, expect) in [(true, "ok"), (false, "signature")] {
            let message = forger.find_message(twist, multiple);
            let (signature, _) = forger.sign(&message, twist);
            let word = if multiple { "a multiple" } else { "no multiple" };
            let name = format!("key of mixed order {key}, challenge {word} of 8");
            let reason = "cofactorless: S times the base is R plus the challenge times the key, exactly";
            cases.push(signature_case(&name, expect, forger.public_key(key), &message, signature, reason));
        }
    }
    cases
}

/// Signatures that need no secret, because the key has small order.
fn weak_key_cases() -> Vec<VectorCase> {
    let forger = Forger::new([5; 32]);
    let nonce = split_signature(forger.sign(MESSAGE, PointTwist { key: 0, nonce: 0, zero: false }).0).0;
    let torsion = bad_points::torsion_points();
    let point = forger.public_key(0);
    let secretless = {
        // Under the neutral element the challenge does not matter: R is S times the base.
        let mut one = [0; 32];
        one[0] = 1;
        join_signature(Forger::base_point(), one)
    };
    vec![
        signature_case(
            "forged under the neutral element",
            "key-weak",
            torsion[0],
            MESSAGE,
            secretless,
            "needs no secret",
        ),
        signature_case(
            // Four times the generator has order 2.
            "R and key of small order",
            "key-weak",
            torsion[4],
            MESSAGE,
            join_signature(torsion[4], [0; 32]),
            "S is 0",
        ),
        signature_case(
            "S is 0 under an honest key",
            "signature",
            point,
            MESSAGE,
            join_signature(nonce, [0; 32]),
            "not the equation",
        ),
    ]
}
