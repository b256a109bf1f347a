//! Lists of numbers of 32 bits: the form of results that are kept between runs. Most of such a result is copied from
//! run to run, so it is neither parsed nor compressed.

/// What is kept between runs: `None` if nothing is, else what an earlier run stored, if it did.
pub(crate) type EarlierResult<'k, T> = Option<Option<&'k T>>;

/// Decodes the result of [`to_bytes`].
pub(super) fn from_bytes(bytes: &[u8]) -> Option<Vec<u32>> {
    let words = bytes.chunks_exact(4);
    let words = words.map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    bytes.len().is_multiple_of(4).then(|| words.collect())
}

/// Encodes words.
pub(super) fn to_bytes(words: &[u32]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(words.len() * 4 + 64);
    for word in words {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes
}

/// Writes a number of 64 bits.
pub(super) fn long_write(number: u64, words: &mut Vec<u32>) {
    words.extend([number as u32, (number >> 32) as u32]);
}

/// Reads a number of 64 bits.
pub(super) fn long_read(words: &mut &[u32]) -> Option<u64> {
    let ([low, high], rest) = words.split_first_chunk::<2>()?;
    *words = rest;
    Some(u64::from(*low) | u64::from(*high) << 32)
}

/// Writes a list after its length.
pub(super) fn list_write(words: &mut Vec<u32>, write: impl FnOnce(&mut Vec<u32>)) {
    let at = words.len();
    words.push(0);
    write(words);
    words[at] = (words.len() - at - 1) as u32;
}

/// Reads a list after its length.
pub(super) fn list_read<'k>(words: &mut &'k [u32]) -> Option<&'k [u32]> {
    let length = number_read(words)?;
    let (list, rest) = words.split_at_checked(length as usize)?;
    *words = rest;
    Some(list)
}

/// Reads one word.
pub(super) fn number_read(words: &mut &[u32]) -> Option<u32> {
    let (number, rest) = words.split_first()?;
    *words = rest;
    Some(*number)
}
