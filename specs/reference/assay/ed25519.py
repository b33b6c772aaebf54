"""Ed25519 (RFC 8032), verified strictly and without cofactor: log.md, section 4.

Plain arithmetic on extended coordinates (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.
"""

import hashlib

from .errors import Refused

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_MINUS_1 = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]
NEUTRAL: Point = (0, 1, 1, 0)


def add(a: Point, b: Point) -> Point:
    m = (a[1] - a[0]) * (b[1] - b[0]) % P
    n = (a[1] + a[0]) * (b[1] + b[0]) % P
    c = 2 * a[3] * b[3] * D % P
    d = 2 * a[2] * b[2] % P
    e, f, g, h = n - m, d - c, d + c, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar: int, point: Point) -> Point:
    result = NEUTRAL
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def negate(point: Point) -> Point:
    return -point[0] % P, point[1], point[2], -point[3] % P


def compress(point: Point) -> bytes:
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def recover_x(y: int, sign: int) -> int | None:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_MINUS_1 % P
    if (x * x - square) % P:
        return None
    return P - x if x & 1 != sign and x else x


def decompress(data: bytes) -> Point:
    """The point of a public key, which must not be of small order."""
    if len(data) != 32:
        raise Refused("key-encoding", "a public key has 32 bytes")
    number = int.from_bytes(data, "little")
    y, sign = number & ((1 << 255) - 1), number >> 255
    x = recover_x(y, sign) if y < P else None
    if x is None:
        raise Refused("key-encoding", "y is not below 2^255 - 19, or not on the curve")
    point = (x, y, 1, x * y % P)
    if is_small(point):
        raise Refused("key-weak", "a public key of small order")
    return point


def is_small(point: Point) -> bool:
    x, y, z, _ = multiply(8, point)
    return x == 0 and (y - z) % P == 0


BASE_Y = 4 * pow(5, -1, P) % P
BASE_X = recover_x(BASE_Y, 0) or 0
BASE: Point = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def hash_to_scalar(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % ORDER


def verify(key: bytes, message: bytes, signature: bytes) -> None:
    public = decompress(key)
    if len(signature) != 64:
        raise Refused("signature", "a signature has 64 bytes")
    s = int.from_bytes(signature[32:], "little")
    if s >= ORDER:
        raise Refused("signature", "S is not below the order")
    k = hash_to_scalar(signature[:32], key, message)
    expected = add(multiply(s, BASE), negate(multiply(k, public)))
    if is_small(expected) or compress(expected) != signature[:32]:
        raise Refused("signature", "signature verification failed")


def sign(seed: bytes, message: bytes) -> bytes:
    """RFC 8032, section 5.1.6; not constant-time: for tests only."""
    secret = hashlib.sha512(seed).digest()
    a = clamp(secret)
    key = compress(multiply(a, BASE))
    r = hash_to_scalar(secret[32:], message)
    point = compress(multiply(r, BASE))
    k = hash_to_scalar(point, key, message)
    return point + ((r + k * a) % ORDER).to_bytes(32, "little")


def public_key(seed: bytes) -> bytes:
    return compress(multiply(clamp(hashlib.sha512(seed).digest()), BASE))


def clamp(secret: bytes) -> int:
    return int.from_bytes(secret[:32], "little") & ((1 << 254) - 8) | 1 << 254
