//! A seeded mutator: the same seed and number give the same input, on every machine.
//!
//! Not a coverage-guided fuzzer. It changes known inputs a little, joins two of them, and plants octets
//! that parsers care about; the way in is [`Mutator::next`].

/// Inputs never grow beyond this: over every line and reply limit, yet quick to run.
pub const INPUT_OCTETS_MAX: usize = 16_384;

/// Pieces that decide things in the grammars at hand.
const TOKENS: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b"220 ",
    b"220-",
    b"250-STARTTLS\r\n",
    b"250 ",
    b"421 4.7.0 ",
    b"xn--",
    b"*.",
    b";",
    b"=",
    b"v=STSv1",
    b"v=TLSRPTv1",
    b"mode: enforce",
    b"mx: ",
    b"max_age: ",
    b"id=",
    b"rua=mailto:",
    b"-----BEGIN CERTIFICATE-----",
    b"\x30\x82",
    b"\x02\x01",
    b"\xff",
    b"\x1b[2J",
    "\u{202e}".as_bytes(),
    b"..",
    b"@",
    b"[::1]",
    b":65536",
    b"https://",
    b"{\"records\":[",
    b"4294967296",
    b"18446744073709551616",
];

/// A stream of inputs made from seeds.
#[derive(Debug)]
pub struct Mutator {
    state: u64,
}

impl Mutator {
    /// A stream for this seed.
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next pseudo-random number (SplitMix64).
    fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`; 0 when the limit is 0.
    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.number() % limit).unwrap_or(0)
    }

    fn octet(&mut self) -> u8 {
        self.number().to_le_bytes()[0]
    }

    /// The next input: a seed with one to eight changes, or octets out of nothing.
    pub fn next(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = match seeds.get(self.below(seeds.len() + 1)) {
            Some(seed) => seed.clone(),
            None => (0..self.below(64)).map(|_| self.octet()).collect(),
        };
        for _ in 0..=self.below(8) {
            self.change(&mut input, seeds);
        }
        input.truncate(INPUT_OCTETS_MAX);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        let end = at + self.below((input.len() - at).min(64) + 1);
        match self.below(8) {
            0 => {
                if let Some(octet) = input.get_mut(at) {
                    *octet ^= 1 << (self.number() % 8);
                }
            }
            1 => input.insert(at, self.octet()),
            2 => {
                input.drain(at..end);
            }
            3 => {
                let token = TOKENS[self.below(TOKENS.len())];
                input.splice(at..at, token.iter().copied());
            }
            4 => {
                let piece = input[at..end].to_vec();
                for _ in 0..=self.below(32) {
                    input.splice(at..at, piece.iter().copied());
                }
            }
            5 => {
                if let Some(other) = seeds.get(self.below(seeds.len())) {
                    let from = self.below(other.len() + 1);
                    input.truncate(at);
                    input.extend_from_slice(&other[from..]);
                }
            }
            6 => {
                let octet = self.octet();
                input[at..end].fill(octet);
            }
            _ => input.truncate(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_replays() {
        let seeds = vec![b"220 mx.example ESMTP\r\n".to_vec(), b"250 ok\r\n".to_vec()];
        let run = |seed| {
            let mut mutator = Mutator::new(seed);
            (0..200).map(|_| mutator.next(&seeds)).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        assert!(run(7).iter().all(|input| input.len() <= INPUT_OCTETS_MAX));
    }
}
