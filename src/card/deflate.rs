//! Deflate for pictures in a palette: rows of places come in, a zlib stream goes out (RFC 1950 and 1951). It looks where such a
//! picture repeats itself: in the row above, in runs, in two colours by turns, and then in a table of what was seen last. An
//! encoder that knows nothing of pictures takes twice as long and makes a larger file. Same rows, same bytes.

use super::huffman::{Bits, Token, write_block};

/// The shortest and the longest repetition that there is a code for.
const SHORTEST: usize = 3;
const LONGEST: usize = 258;
/// How far back a repetition may lie.
const WINDOW: usize = 32_768;
/// The table of what was seen has a place for each hash of so many bits.
const HASH_BITS: u32 = 13;
/// Repetitions and single bytes in a block; each block has codes of its own.
const BLOCK: usize = 1 << 13;

/// Bits that a byte costs in the mean, that a length costs, and a distance that few others have besides its extra bits.
const BYTE_COST: usize = 6;
const LENGTH_COST: usize = 8;
const RARE_COST: usize = 4;
/// Bytes that are compared at once.
const WORD: usize = 8;

/// Packs pictures; kept between them for its memory.
#[derive(Debug)]
pub(super) struct Deflate {
    /// Where a word with this hash was seen last.
    seen: Vec<u32>,
    tokens: Vec<Token>,
}

/// A repetition: so many bytes as so far back, and the bits that it saves.
#[derive(Debug, Clone, Copy, Default)]
struct Repeat {
    length: usize,
    distance: usize,
    saved: usize,
}

impl Default for Deflate {
    fn default() -> Self {
        Self { seen: vec![0; 1 << HASH_BITS], tokens: Vec::new() }
    }
}

impl Deflate {
    /// Appends the zlib stream of rows that are `stride` bytes long.
    pub(super) fn pack(&mut self, rows: &[u8], stride: usize, out: &mut Vec<u8>) {
        out.extend([0x78, 0x01]); // deflate, a window of 32 KiB, quick
        self.read(rows, stride);
        let mut bits = Bits::new(out);
        let last = self.tokens.len().saturating_sub(1) / BLOCK;
        for at in 0..=last {
            let end = self.tokens.len().min((at + 1) * BLOCK);
            write_block(&self.tokens[at * BLOCK..end], at == last, &mut bits);
        }
        bits.finish();
        out.extend(simd_adler32::adler32(&rows).to_be_bytes());
    }

    /// Finds what repeats itself.
    fn read(&mut self, rows: &[u8], stride: usize) {
        self.seen.fill(0);
        self.tokens.clear();
        // The first bytes have too little before them.
        let mut at = 2.min(rows.len());
        self.tokens.extend(rows[..at].iter().copied().map(Token::byte));
        while let Some(here) = word(rows, at) {
            let slot = &mut self.seen[((here as u32).wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS)) as usize];
            let before = std::mem::replace(slot, at as u32) as usize;
            // Which of them it is cannot be foreseen, so all are looked at without a branch.
            let mut best = Repeat::default();
            for distance in [stride.min(at), 1, 2, at - before] {
                let differing = word(rows, at - distance).unwrap_or(0) ^ here;
                let repeat = Repeat::new(differing.trailing_zeros() as usize / 8, distance);
                best = if repeat.saved > best.saved { repeat } else { best };
            }
            if best.length == WORD {
                let (there, from) = (at + WORD - best.distance, at + WORD);
                best = Repeat::new(WORD + common(rows, there, from), best.distance);
            }
            if best.saved > 0 {
                self.tokens.push(Token::repeat(best.length, best.distance));
                at += best.length;
            } else {
                self.tokens.push(Token::byte(rows[at]));
                at += 1;
            }
        }
        self.tokens.extend(rows[at..].iter().copied().map(Token::byte));
    }
}

/// The bytes at a place, where there are as many left.
#[inline]
fn word(rows: &[u8], at: usize) -> Option<u64> {
    rows[at..].first_chunk::<WORD>().map(|word| u64::from_le_bytes(*word))
}

impl Repeat {
    #[inline]
    fn new(length: usize, distance: usize) -> Self {
        let extra = ((distance | 1).ilog2() as usize).saturating_sub(1);
        let cost = LENGTH_COST + extra + RARE_COST * usize::from(distance > 2);
        let fits = length >= SHORTEST && distance <= WINDOW;
        Self { length, distance, saved: if fits { (length * BYTE_COST).saturating_sub(cost) } else { 0 } }
    }
}

/// How many bytes from `a` on are the same as those from `b` on, as many at most as a repetition may have after a word.
#[inline]
fn common(rows: &[u8], a: usize, b: usize) -> usize {
    let most = (LONGEST - WORD).min(rows.len() - b);
    let (xs, ys) = (&rows[a..a + most], &rows[b..b + most]);
    let blocks = xs.as_chunks::<32>().0.iter().zip(ys.as_chunks::<32>().0);
    let same = blocks.take_while(|(x, y)| x == y).count() * 32;
    let ((xs, rest), (ys, other)) = (xs[same..].as_chunks(), ys[same..].as_chunks());
    for (at, (x, y)) in xs.iter().zip(ys).enumerate() {
        let differing = u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y);
        if differing != 0 {
            return same + at * WORD + differing.trailing_zeros() as usize / 8;
        }
    }
    same + xs.len() * WORD + rest.iter().zip(other).take_while(|(x, y)| x == y).count()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::ZlibDecoder;
    use proptest::prelude::*;

    use super::*;

    fn unpacked(packed: &[u8]) -> Vec<u8> {
        let mut rows = Vec::new();
        ZlibDecoder::new(packed).read_to_end(&mut rows).unwrap();
        rows
    }

    fn packed(rows: &[u8], stride: usize) -> Vec<u8> {
        let mut out = Vec::new();
        Deflate::default().pack(rows, stride, &mut out);
        out
    }

    #[test]
    fn what_is_packed_can_be_unpacked() {
        let noise: Vec<u8> = (0..200_000_u32).map(|at| (at.wrapping_mul(0x9E37_79B1) >> 13) as u8).collect();
        let skewed: Vec<u8> = (0..3_u32.pow(11)).map(|at| (at + 1).trailing_zeros() as u8 * 3).collect();
        let flat = vec![0; 100_000];
        let cases: [&[u8]; 7] = [b"", b"x", b"xy", &[7; 5], &flat, &noise, &skewed];
        for rows in cases {
            for stride in [1, 7, 1201, 40_000] {
                assert!(unpacked(&packed(rows, stride)) == rows, "{} bytes, stride {stride}", rows.len());
            }
        }
    }

    #[test]
    fn a_flat_picture_is_next_to_nothing() {
        let rows = [vec![0], vec![9; 1200]].concat().repeat(630);
        let packed = packed(&rows, 1201).len();
        assert!(packed < 2500, "{packed} bytes");
    }

    #[test]
    fn a_deflater_keeps_nothing_of_the_picture_before() {
        let (mut deflate, mut out) = (Deflate::default(), Vec::new());
        deflate.pack(b"another picture, another picture", 8, &mut out);
        out.clear();
        deflate.pack(b"a picture, and a picture", 8, &mut out);
        assert_eq!(out, packed(b"a picture, and a picture", 8));
    }

    proptest! {
        #[test]
        fn any_rows_can_be_unpacked(rows in prop::collection::vec(0_u8..4, 0..4000), stride in 1_usize..200) {
            prop_assert_eq!(unpacked(&packed(&rows, stride)), rows);
        }
    }
}
