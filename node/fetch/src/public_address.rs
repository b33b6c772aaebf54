//! Public IP addresses; the fetcher connects to no others (protection against server-side request
//! forgery).
//!
//! Not public are the ranges of the IANA special-purpose registries (RFC 6890 and its updates) that are
//! not globally reachable, multicast, and addresses of cloud metadata services. An IPv4 address embedded
//! in an IPv6 address is judged as IPv4.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 ranges that are not public: network and prefix length.
const NON_PUBLIC_V4: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    // Link-local, and the metadata service of most clouds.
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    // Multicast, reserved, broadcast.
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
    // Azure's virtual public IP, served by the host of a virtual machine.
    ([168, 63, 129, 16], 32),
];

/// IPv6 ranges inside 2000::/3, the only global unicast space, that are not public.
const NON_PUBLIC_V6: &[(u128, u32)] = &[
    // IETF protocol assignments, with Teredo.
    (0x2001 << 112, 23),
    // Documentation.
    (0x2001_0db8 << 96, 32),
    // 6to4: carries any IPv4 address.
    (0x2002 << 112, 16),
    // Documentation.
    (0x3fff << 112, 20),
];

/// NAT64 prefix of embedded IPv4 addresses (RFC 6052).
const NAT64_PREFIX: (u128, u32) = (0x0064_ff9b << 96, 96);
/// Global unicast space of IPv6.
const GLOBAL_UNICAST: (u128, u32) = (0x2000 << 112, 3);

/// Returns whether an address is globally reachable.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => public_v4(address),
        IpAddr::V6(address) => public_v6(address),
    }
}

fn public_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    let within = |(net, length): &([u8; 4], u32)| {
        bits.checked_shr(32 - length) == Ipv4Addr::from(*net).to_bits().checked_shr(32 - length)
    };
    !NON_PUBLIC_V4.iter().any(within)
}

fn public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return public_v4(mapped);
    }
    let bits = address.to_bits();
    let within = |(net, length): (u128, u32)| bits.checked_shr(128 - length) == net.checked_shr(128 - length);
    if within(NAT64_PREFIX) {
        // The last 32 bits are the IPv4 address.
        return public_v4(Ipv4Addr::from_bits((bits & u128::from(u32::MAX)) as u32));
    }
    within(GLOBAL_UNICAST) && !NON_PUBLIC_V6.iter().any(|range| within(*range))
}
