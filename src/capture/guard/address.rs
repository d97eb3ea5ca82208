//! Which addresses belong to the public internet: an address in, a yes or no out. What is not surely public is not public.
//!
//! The tables are the special-purpose registries of IANA (RFC 6890 and its kin) with multicast. Entries that the registries call
//! globally reachable (anycast of AS112, AMT, PCP and TURN) are refused too: no page lives there, and such anycast ends nearby.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block of version 4: its first address, and how many bits are fixed.
type Block4 = ([u8; 4], u32);

/// A block of version 6.
type Block6 = ([u16; 8], u32);

/// What is not public in version 4.
#[rustfmt::skip]
const SPECIAL_4: &[Block4] = &[
    ([0, 0, 0, 0], 8),          // this network; Linux takes 0.0.0.0 for loopback
    ([10, 0, 0, 0], 8),         // private use
    ([100, 64, 0, 0], 10),      // shared by carriers; 100.100.100.200 is a cloud's metadata service
    ([127, 0, 0, 0], 8),        // loopback
    ([168, 63, 129, 16], 32),   // no registry has it: Azure's own services, within each of its machines
    ([169, 254, 0, 0], 16),     // link-local; 169.254.169.254 is most clouds' metadata service
    ([172, 16, 0, 0], 12),      // private use
    ([192, 0, 0, 0], 24),       // protocol assignments; 192.0.0.192 is a cloud's metadata service
    ([192, 0, 2, 0], 24),       // documentation
    ([192, 31, 196, 0], 24),    // AS112
    ([192, 52, 193, 0], 24),    // AMT
    ([192, 88, 99, 0], 24),     // relays of 6to4
    ([192, 168, 0, 0], 16),     // private use
    ([192, 175, 48, 0], 24),    // AS112
    ([198, 18, 0, 0], 15),      // benchmarks of networks
    ([198, 51, 100, 0], 24),    // documentation
    ([203, 0, 113, 0], 24),     // documentation
    ([224, 0, 0, 0], 4),        // multicast
    ([240, 0, 0, 0], 4),        // reserved, and broadcast
];

/// All that is public in version 6 lies in here; loopback, link-local, unique local, multicast and the rest lie outside.
const GLOBAL_6: Block6 = ([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// What is not public within it.
#[rustfmt::skip]
const SPECIAL_6: &[Block6] = &[
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),            // protocol assignments: Teredo, ORCHID, benchmarks, AMT, AS112 and more
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),        // documentation
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),            // 6to4: any address of version 4 may be in it
    ([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48),    // AS112
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),            // documentation
];

/// Addresses of version 4 as version 6 writes them.
const MAPPED: Block6 = ([0, 0, 0, 0, 0, 0xffff, 0, 0], 96);

/// Version 4 as seen through NAT64: how networks that have version 6 alone see public servers.
const NAT64: Block6 = ([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);

/// Whether an address belongs to the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_4(address),
        IpAddr::V6(address) => is_public_6(address),
    }
}

fn is_public_4(address: Ipv4Addr) -> bool {
    let special = |(first, bits): &Block4| (u32::from(address) ^ u32::from(Ipv4Addr::from(*first))) >> (32 - bits) == 0;
    !SPECIAL_4.iter().any(special)
}

fn is_public_6(address: Ipv6Addr) -> bool {
    if lies_in(address, &MAPPED) || lies_in(address, &NAT64) {
        return is_public_4(last_four(address));
    }
    let special = SPECIAL_6.iter().any(|block| lies_in(address, block));
    lies_in(address, &GLOBAL_6) && !special && (!is_isatap(address) || is_public_4(last_four(address)))
}

fn lies_in(address: Ipv6Addr, (first, bits): &Block6) -> bool {
    (u128::from(address) ^ u128::from(Ipv6Addr::from(*first))) >> (128 - bits) == 0
}

/// ISATAP puts an address of version 4 behind any prefix: its mark is 5efe, with or without the bit that says "global".
fn is_isatap(address: Ipv6Addr) -> bool {
    let [_, _, _, _, scope, mark, ..] = address.segments();
    mark == 0x5efe && scope & !0x0200 == 0
}

fn last_four(address: Ipv6Addr) -> Ipv4Addr {
    Ipv4Addr::from(u128::from(address) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_special_is_not_public() {
        let special = "0.0.0.0 0.1.2.3 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.100.100.200 100.127.255.255 127.0.0.1 \
            127.255.255.254 168.63.129.16 169.254.0.0 169.254.169.254 169.254.170.2 172.16.0.0 172.31.255.255 192.0.0.0 \
            192.0.0.9 192.0.0.192 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.1 192.168.255.255 192.175.48.1 \
            198.18.0.0 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 224.0.0.251 239.255.255.250 240.0.0.1 \
            255.255.255.255 \
            :: ::1 ::2 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0.0.0.0 \
            ::ffff:0:127.0.0.1 ::ffff:0:8.8.8.8 64:ff9b::127.0.0.1 64:ff9b::10.1.2.3 64:ff9b::a9fe:a9fe 64:ff9b::192.168.1.1 \
            64:ff9b:1::8.8.8.8 64:ff9b:1::10.0.0.1 64:ff9b::1:8.8.8.8 64:ff9a::8.8.8.8 100::1 100:0:0:1::1 1fff:ffff:: \
            2001::1 2001:0:7f00:1::1 2001:1::1 2001:2::1 2001:3::1 2001:4:112::1 2001:10::1 2001:20::1 2001:30::1 \
            2001:1ff:ffff::1 2001:db8::1 2001:db8:64::10.0.0.1 2002::1 2002:7f00:1::1 2002:a9fe:a9fe::1 2002:808:808::1 \
            2620:4f:8000::1 3fff::1 3fff:fff:ffff::1 4000::1 5f00::1 8000::1 c000::1 fc00::1 fd00::1 fd00:ec2::254 fd20:ce::254 \
            fe80::1 fe80::a9fe:a9fe febf::1 fec0::1 feff::1 ff00::1 ff02::1 ff02::fb ff05::1:3 ff0e::1 \
            2a00:1450::5efe:10.0.0.1 2a00:1450::200:5efe:127.0.0.1 2607:f8b0::5efe:169.254.169.254";
        for spelled in special.split_whitespace() {
            let address: IpAddr = spelled.parse().unwrap();
            assert!(!is_public(address), "{spelled}");
        }
    }

    #[test]
    fn what_lies_beside_it_is_public() {
        let public = "1.0.0.0 1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 \
            168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 \
            192.0.3.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 203.0.112.255 203.0.114.0 223.255.255.255 \
            ::ffff:8.8.8.8 ::ffff:93.184.215.14 64:ff9b::8.8.8.8 64:ff9b::93.184.215.14 2001:200::1 2001:4860:4860::8888 \
            2001:db7::1 2001:db9::1 2003::1 2606:4700::1111 2620:4f:7fff::1 2620:4f:8001::1 2a00:1450::1 3ffe::1 \
            2a00:1450::5efe:8.8.8.8 2a00:1450::100:5efe:10.0.0.1";
        for spelled in public.split_whitespace() {
            let address: IpAddr = spelled.parse().unwrap();
            assert!(is_public(address), "{spelled}");
        }
    }

    #[test]
    fn each_block_ends_where_its_bits_do() {
        for (first, bits) in SPECIAL_4 {
            let first = u32::from(Ipv4Addr::from(*first));
            let last = first | u32::MAX.checked_shr(*bits).unwrap_or(0);
            assert_eq!(first & u32::MAX.checked_shr(*bits).unwrap_or(0), 0, "a block begins at its first address");
            assert!(!is_public_4(Ipv4Addr::from(first)) && !is_public_4(Ipv4Addr::from(last)));
        }
        for (first, bits) in SPECIAL_6 {
            let (first, hosts) = (u128::from(Ipv6Addr::from(*first)), u128::MAX >> bits);
            assert_eq!(first & hosts, 0, "a block begins at its first address");
            assert!(!is_public_6(Ipv6Addr::from(first)) && !is_public_6(Ipv6Addr::from(first | hosts)));
        }
    }
}
