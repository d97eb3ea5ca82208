//! Huffman codes for deflate (RFC 1951): bytes and repetitions come in, blocks of bits go out, each with the codes that suit it.

/// Symbols: 256 bytes, the end of a block, 29 lengths; and 30 distances.
const SYMBOLS: usize = 286;
const DISTANCES: usize = 30;
/// The symbol that ends a block.
const END: usize = 256;
/// The longest code of a symbol or a distance, and of a code's length.
const LONGEST: usize = 15;
const LONGEST_OF_LENGTHS: usize = 7;
/// The order in which the lengths of the lengths' codes are written.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// A byte, or a repetition of so many bytes as so far back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    /// The byte; or 256 more than a length less 3.
    what: u16,
    /// 0 with a byte.
    distance: u16,
}

/// A symbol and the extra bits that come after it.
#[derive(Debug, Clone, Copy, Default)]
struct Extended {
    symbol: u16,
    bits: u8,
    value: u16,
}

impl Token {
    pub(super) fn byte(byte: u8) -> Self {
        Self { what: byte.into(), distance: 0 }
    }

    /// `length` is 3 to 258, `distance` 1 to 32,768.
    pub(super) fn repeat(length: usize, distance: usize) -> Self {
        Self { what: (length + 253) as u16, distance: distance as u16 }
    }

    /// Its distance: that of a byte is at place 0 and takes no bits.
    fn distance(self) -> (usize, Extended) {
        let coded = bucket(u32::from(self.distance).saturating_sub(1), 2);
        ((usize::from(coded.symbol) + 1) * usize::from(self.distance > 0), coded)
    }
}

/// The symbols of all that a token can be besides its distance.
static SYMBOLS_OF: [Extended; 512] = {
    let mut symbols = [Extended { symbol: 0, bits: 0, value: 0 }; 512];
    let mut at = 0;
    while at < 256 {
        symbols[at].symbol = at as u16;
        let coded = bucket(at as u32, 3);
        symbols[at + 256] = Extended { symbol: coded.symbol + 257, ..coded };
        at += 1;
    }
    symbols[511] = Extended { symbol: 285, bits: 0, value: 0 };
    symbols
};

/// Numbers in buckets: the first 2^`fine` of one number each, then 2^(`fine` − 1) buckets for each doubling.
const fn bucket(number: u32, fine: u32) -> Extended {
    let bits = (32 - fine).saturating_sub(number.leading_zeros());
    let symbol = (bits << (fine - 1)) + (number >> bits);
    Extended { symbol: symbol as u16, bits: bits as u8, value: (number & ((1 << bits) - 1)) as u16 }
}

/// Collects bits, the first in the lowest place of a byte.
pub(super) struct Bits<'a> {
    out: &'a mut Vec<u8>,
    /// Bytes of `out` that are whole; beyond them it holds zeros.
    written: usize,
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { written: out.len(), out, held: 0, count: 0 }
    }

    /// Makes room for so many bits, and then some.
    fn reserve(&mut self, bits: usize) {
        self.out.resize(self.written + bits / 8 + 16, 0);
    }

    /// Adds the lowest `count` bits, 56 at most; the others are zero. There must be room.
    #[inline]
    fn put(&mut self, bits: u64, count: u32) {
        self.held |= bits << self.count;
        self.count += count;
        if let Some(place) = self.out.get_mut(self.written..).and_then(|rest| rest.first_chunk_mut()) {
            *place = self.held.to_le_bytes();
        }
        self.written += self.count as usize / 8;
        self.held >>= self.count & !7;
        self.count &= 7;
    }

    /// Fills the last byte with zeros.
    pub(super) fn finish(self) {
        self.out.truncate(self.written);
        self.out.extend((self.count > 0).then_some(self.held as u8));
    }
}

/// The code of a symbol, its first bit lowest, and how many bits it has: none where the symbol does not occur.
#[derive(Debug, Clone, Copy, Default)]
struct Code {
    bits: u16,
    count: u8,
}

impl Code {
    /// The code with the extra bits after it, and how many bits that is.
    #[inline]
    fn with(self, extra: Extended) -> (u64, u32) {
        (u64::from(self.bits) | u64::from(extra.value) << self.count, u32::from(self.count) + u32::from(extra.bits))
    }
}

/// Bits that a token takes at most, and the codes of a block.
const MOST_OF_TOKEN: usize = 48;
const MOST_OF_CODES: usize = 8192;

/// Writes one block with its codes.
pub(super) fn write_block(tokens: &[Token], last: bool, bits: &mut Bits<'_>) {
    let (mut counts, mut distances) = ([0_u32; 512], [0_u32; DISTANCES + 1]);
    for token in tokens {
        counts[usize::from(token.what)] += 1;
        distances[token.distance().0] += 1;
    }
    let mut symbols = [0_u32; SYMBOLS];
    symbols[END] = 1;
    for (count, coded) in counts.iter().zip(&SYMBOLS_OF) {
        symbols[usize::from(coded.symbol)] += count;
    }
    let symbols = codes(symbols, LONGEST);
    let distances: [Code; DISTANCES] = codes(std::array::from_fn(|at| distances[at + 1]), LONGEST);
    bits.reserve(tokens.len() * MOST_OF_TOKEN + MOST_OF_CODES);
    bits.put(u64::from(last) | 2 << 1, 3);
    write_codes(&symbols, &distances, bits);
    let whats: [(u64, u32); 512] = std::array::from_fn(|what| {
        let (code, extra) = (symbols[usize::from(SYMBOLS_OF[what].symbol)], SYMBOLS_OF[what]);
        code.with(extra)
    });
    let distances: [Code; DISTANCES + 1] =
        std::array::from_fn(|at| if at == 0 { Code::default() } else { distances[at - 1] });
    for token in tokens {
        let (what, width) = whats[usize::from(token.what)];
        let (place, extra) = token.distance();
        let (distance, rest) = distances[place].with(extra);
        bits.put(what | distance << width, width + rest);
    }
    let (end, width) = symbols[END].with(Extended::default());
    bits.put(end, width);
}

/// Writes the lengths of a block's codes, themselves in codes.
fn write_codes(symbols: &[Code; SYMBOLS], distances: &[Code; DISTANCES], bits: &mut Bits<'_>) {
    let used = |codes: &[Code]| codes.iter().rposition(|code| code.count > 0).map_or(0, |last| last + 1);
    let (symbols, distances) = (&symbols[..used(symbols).max(257)], &distances[..used(distances).max(1)]);
    let lengths: Vec<u8> = symbols.iter().chain(distances).map(|code| code.count).collect();
    let runs = runs(&lengths);
    let mut counts = [0; 19];
    for run in &runs {
        counts[usize::from(run.symbol)] += 1;
    }
    let codes = codes(counts, LONGEST_OF_LENGTHS);
    let written = ORDER.iter().rposition(|at| codes[*at].count > 0).unwrap_or(0).max(3) + 1;
    bits.put(symbols.len() as u64 - 257, 5);
    bits.put(distances.len() as u64 - 1, 5);
    bits.put(written as u64 - 4, 4);
    for at in &ORDER[..written] {
        bits.put(codes[*at].count.into(), 3);
    }
    for run in runs {
        let (run, width) = codes[usize::from(run.symbol)].with(run);
        bits.put(run, width);
    }
}

/// Lengths as symbols: each by itself, repeated 3 to 6 times (16), 3 to 10 zeros (17), 11 to 138 zeros (18).
fn runs(lengths: &[u8]) -> Vec<Extended> {
    let mut runs = Vec::new();
    for same in lengths.chunk_by(|a, b| a == b) {
        let (length, mut left) = (u16::from(same[0]), same.len());
        if length > 0 {
            runs.push(Extended { symbol: length, bits: 0, value: 0 });
            left -= 1;
        }
        while left >= 3 {
            let (symbol, bits, least, most) = match (length, left) {
                (1.., _) => (16, 2, 3, 6),
                (0, ..11) => (17, 3, 3, 10),
                (0, _) => (18, 7, 11, 138),
            };
            let taken = left.min(most);
            runs.push(Extended { symbol, bits, value: (taken - least) as u16 });
            left -= taken;
        }
        runs.extend((0..left).map(|_| Extended { symbol: length, bits: 0, value: 0 }));
    }
    runs
}

/// The codes of symbols that occur so often, none longer than `longest`.
fn codes<const N: usize>(counts: [u32; N], longest: usize) -> [Code; N] {
    let mut codes = [Code::default(); N];
    let mut order: Vec<usize> = (0..N).filter(|symbol| counts[*symbol] > 0).collect();
    // A code of one symbol alone is not complete: another gets one as well.
    (0..N)
        .filter(|symbol| counts[*symbol] == 0)
        .take(2_usize.saturating_sub(order.len()))
        .for_each(|at| order.push(at));
    order.sort_unstable_by_key(|symbol| (counts[*symbol], *symbol));
    let weights: Vec<u32> = order.iter().map(|symbol| counts[*symbol].max(1)).collect();
    let mut rarest = order.iter();
    for (length, count) in lengths(&weights, longest).into_iter().enumerate().rev() {
        rarest.by_ref().take(count as usize).for_each(|symbol| codes[*symbol].count = length as u8);
    }
    let mut next = 0_u32;
    for length in 1..=longest as u32 {
        next <<= 1;
        for code in codes.iter_mut().filter(|code| u32::from(code.count) == length) {
            code.bits = (next.reverse_bits() >> (32 - length)) as u16;
            next += 1;
        }
    }
    codes
}

/// How many symbols get a code of each length, the rarest the longest: Huffman's tree over sorted weights, built with two queues
/// (van Leeuwen, 1976); codes that are too long are shortened, and others lengthened until all have room.
fn lengths(weights: &[u32], longest: usize) -> [u32; LONGEST + 1] {
    let leaves = weights.len();
    let mut weights = weights.to_vec();
    let mut parents = vec![0; 2 * leaves - 1];
    let (mut leaf, mut node) = (0, leaves);
    for parent in leaves..2 * leaves - 1 {
        let mut sum = 0;
        for _ in 0..2 {
            let lightest =
                if leaf < leaves && (node == parent || weights[leaf] <= weights[node]) { &mut leaf } else { &mut node };
            sum += weights[*lightest];
            parents[*lightest] = parent;
            *lightest += 1;
        }
        weights.push(sum);
    }
    let mut depths = vec![0_usize; 2 * leaves - 1];
    let mut counts = [0_u32; LONGEST + 1];
    for at in (0..2 * leaves - 2).rev() {
        depths[at] = depths[parents[at]] + 1;
        counts[depths[at].min(longest)] += u32::from(at < leaves);
    }
    let mut taken: u32 = (1..=longest).map(|length| counts[length] << (longest - length)).sum();
    while taken > 1 << longest {
        let Some(shorter) = (1..longest).rev().find(|length| counts[*length] > 0) else { break };
        counts[longest] -= 1;
        counts[shorter] -= 1;
        counts[shorter + 1] += 2;
        taken -= 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_distances_have_the_symbols_of_the_standard() {
        for (number, symbol, bits, value) in [
            (3, 257, 0, 0),
            (10, 264, 0, 0),
            (11, 265, 1, 0),
            (12, 265, 1, 1),
            (115, 280, 4, 0),
            (131, 281, 5, 0),
            (257, 284, 5, 30),
            (258, 285, 0, 0),
        ] {
            let found = SYMBOLS_OF[usize::from(Token::repeat(number, 1).what)];
            assert_eq!((found.symbol, found.bits, found.value), (symbol, bits, value), "length {number}");
        }
        for (number, symbol, bits, value) in
            [(1, 0, 0, 0), (4, 3, 0, 0), (5, 4, 1, 0), (8, 5, 1, 1), (1201, 20, 9, 176), (32_768, 29, 13, 8191)]
        {
            let (place, found) = Token::repeat(3, number).distance();
            assert_eq!((found.symbol, found.bits, found.value), (symbol, bits, value), "distance {number}");
            assert_eq!(place, usize::from(symbol) + 1);
        }
    }

    #[test]
    fn codes_fill_all_the_room_and_are_no_longer_than_allowed() {
        let fibonacci = std::array::from_fn::<u32, 30, _>(|at| (0..at).fold((1, 1), |(a, b), _| (b, a + b)).0);
        for (counts, longest) in [(fibonacci, 15), (fibonacci, 7), ([1; 30], 7), ([0; 30], 15)] {
            let codes = codes(counts, longest);
            assert!(codes.iter().all(|code| usize::from(code.count) <= longest));
            let room: u32 = codes.iter().filter(|code| code.count > 0).map(|code| 1 << (15 - code.count)).sum();
            assert_eq!(room, 1 << 15);
        }
    }
}
