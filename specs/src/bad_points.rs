//! Points, scalars and signatures outside the honest range of edwards25519 (RFC 8032).

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use sha2::{Digest, Sha512};

/// The order of the base point, little endian (RFC 8032, section 5.1).
const GROUP_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The prime of the field, 2^255 - 19, little endian.
const FIELD_PRIME: [u8; 32] = {
    let mut prime = [0xff; 32];
    prime[0] = 0xed;
    prime[31] = 0x7f;
    prime
};

/// Canonical encodings of the eight points of small order: multiples of a point of order 8.
pub fn torsion_points() -> [[u8; 32]; 8] {
    curve25519_dalek::constants::EIGHT_TORSION.map(|point| point.compress().to_bytes())
}

/// Non-canonical encodings of points of small order: y is not below the prime, or the sign of x is
/// set although x is 0.
pub fn non_canonical_points() -> Vec<[u8; 32]> {
    let mut found = Vec::new();
    for (low, high) in [([0; 32], FIELD_PRIME), (number_one(), add_numbers(FIELD_PRIME, number_one()))] {
        let signed = |mut bytes: [u8; 32]| {
            bytes[31] |= 0x80;
            bytes
        };
        found.extend([high, signed(high)]);
        // x is 0 for y = 1, so it has no sign; for y = 0 both signs are points.
        if low == number_one() {
            found.push(signed(low));
        }
    }
    // x is 0 for y = -1 as well, so it has no sign either.
    let mut minus = subtract_numbers(FIELD_PRIME, number_one());
    minus[31] |= 0x80;
    found.push(minus);
    found
}

fn number_one() -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = 1;
    bytes
}

/// Adds two little-endian numbers; the carry out of the last byte is dropped.
pub fn add_numbers(a: [u8; 32], b: [u8; 32]) -> [u8; 32] {
    let mut carry = 0;
    std::array::from_fn(|at| {
        let sum = u16::from(a[at]) + u16::from(b[at]) + carry;
        carry = sum >> 8;
        sum as u8
    })
}

fn subtract_numbers(a: [u8; 32], b: [u8; 32]) -> [u8; 32] {
    // Two's complement: a - b is a + !b + 1.
    let complement = b.map(|byte| !byte);
    add_numbers(add_numbers(a, complement), number_one())
}

/// An encoding whose y is not on the curve.
pub fn off_curve() -> [u8; 32] {
    let mut bytes = [0; 32];
    loop {
        // About half of all y have no point, so the loop ends soon.
        bytes[0] += 1;
        if CompressedEdwardsY(bytes).decompress().is_none() {
            return bytes;
        }
    }
}

/// A signer that chooses its nonce and adds points of small order.
pub struct Forger {
    secret: Scalar,
    prefix: [u8; 32],
}

/// Points of small order added to the key and to the nonce point.
#[derive(Clone, Copy)]
pub struct PointTwist {
    /// Multiple of the point of order 8 that is added to the key, from 0 to 7.
    pub key: usize,
    /// Multiple of the point of order 8 that is added to the nonce point, from 0 to 7.
    pub nonce: usize,
    /// Whether the nonce is zero, which makes its point one of small order.
    pub zero: bool,
}

impl Forger {
    /// Derives the signer from a seed (RFC 8032, section 5.1.5).
    pub fn new(seed: [u8; 32]) -> Self {
        let hash: [u8; 64] = Sha512::digest(seed).into();
        let (mut secret, mut prefix) = ([0; 32], [0; 32]);
        secret.copy_from_slice(&hash[..32]);
        prefix.copy_from_slice(&hash[32..]);
        // Clamping of RFC 8032, section 5.1.5, step 2.
        secret[0] &= 0xf8;
        secret[31] = secret[31] & 0x7f | 0x40;
        // The base point has prime order, so a reduced scalar gives the same key.
        Self { secret: Scalar::from_bytes_mod_order(secret), prefix }
    }

    /// The key with a point of small order added.
    pub fn public_key(&self, twist: usize) -> [u8; 32] {
        (EdwardsPoint::mul_base(&self.secret) + curve25519_dalek::constants::EIGHT_TORSION[twist])
            .compress()
            .to_bytes()
    }

    /// The base point.
    pub fn base_point() -> [u8; 32] {
        EdwardsPoint::mul_base(&Scalar::ONE).compress().to_bytes()
    }

    /// Signs with the twisted points; also returns the challenge modulo 8.
    pub fn sign(&self, message: &[u8], twist: PointTwist) -> ([u8; 64], u8) {
        let nonce = if twist.zero { Scalar::ZERO } else { hash_to_scalar(&[&self.prefix, message]) };
        let point = EdwardsPoint::mul_base(&nonce) + curve25519_dalek::constants::EIGHT_TORSION[twist.nonce];
        let point = point.compress().to_bytes();
        let challenge = hash_to_scalar(&[&point, &self.public_key(twist.key), message]);
        let answer = nonce + challenge * self.secret;
        // The torsion of a key vanishes when the challenge is a multiple of 8.
        (join_signature(point, answer.to_bytes()), challenge.to_bytes()[0] & 7)
    }

    /// Searches for a message whose challenge is a multiple of 8, or is none.
    pub fn find_message(&self, twist: PointTwist, multiple: bool) -> Vec<u8> {
        let found = (0_u32..).map(|at| format!("figure {at}").into_bytes());
        let fits = |message: &Vec<u8>| (self.sign(message, twist).1 == 0) == multiple;
        found.into_iter().find(fits).unwrap_or_default()
    }
}

fn hash_to_scalar(parts: &[&[u8]]) -> Scalar {
    let hash: [u8; 64] = Sha512::digest(parts.concat()).into();
    Scalar::from_bytes_mod_order_wide(&hash)
}

/// Joins the halves R and S of a signature.
pub fn join_signature(point: [u8; 32], answer: [u8; 32]) -> [u8; 64] {
    std::array::from_fn(|at| if at < 32 { point[at] } else { answer[at - 32] })
}

/// Splits a signature into its halves R and S.
pub fn split_signature(signature: [u8; 64]) -> ([u8; 32], [u8; 32]) {
    (std::array::from_fn(|at| signature[at]), std::array::from_fn(|at| signature[at + 32]))
}

/// Adds the group order to S `times` times: equal modulo the order, but not canonical.
pub fn add_group_order(signature: [u8; 64], times: usize) -> [u8; 64] {
    let (point, answer) = split_signature(signature);
    // INVARIANT: S plus eight orders is below 2^256, so no carry is lost.
    join_signature(point, (0..times).fold(answer, |sum, _| add_numbers(sum, GROUP_ORDER)))
}
