//! Fills a token budget with pieces of knowledge: section by section, the most relevant first, and counts what it left
//! out.

use crate::piece::{Piece, Section};

/// The share of a section in the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SectionShare {
    /// The section.
    pub section: Section,
    /// Its part of the budget in percent. What a section leaves over goes to those after it.
    pub percent: usize,
    /// The most pieces.
    pub pieces_max: usize,
}

/// A section that was filled.
#[derive(Debug, Clone, PartialEq)]
pub struct AssembledSection {
    /// The section.
    pub section: Section,
    /// The pieces with the numbers by which they are cited, the most relevant first.
    pub items: Vec<(usize, Piece)>,
    /// An upper bound of the tokens they take.
    pub tokens: usize,
    /// How many more were found and did not fit.
    pub omitted: usize,
}

/// A context that was filled.
#[derive(Debug, Clone, PartialEq)]
pub struct Assembly {
    /// Every section, in the order of [`Section::ALL`]; one without pieces too.
    pub sections: Vec<AssembledSection>,
    /// The tokens of the budget.
    pub budget: usize,
}

impl Assembly {
    /// The tokens of all sections.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.sections.iter().map(|section| section.tokens).sum()
    }

    /// The pieces in the order of their numbers: `[1]` is the first.
    #[must_use]
    pub fn pieces(&self) -> Vec<&Piece> {
        let items = self.sections.iter().flat_map(|section| &section.items);
        items.map(|(_, piece)| piece).collect()
    }

    /// The section. It always exists.
    #[must_use]
    pub fn section(&self, section: Section) -> Option<&AssembledSection> {
        self.sections.iter().find(|one| one.section == section)
    }
}

/// Fills `budget` tokens. `found` are the pieces of each section, the most relevant first; `shares` gives the order in
/// which sections are filled. First each section takes up to its share and what the ones before left over. Then the
/// rest of the budget is filled in the same order. A piece that does not fit does not keep out a shorter one. A section
/// without a share takes nothing.
#[must_use]
pub fn assemble(
    found: Vec<(Section, Vec<Piece>)>,
    shares: &[SectionShare],
    budget: usize,
) -> Assembly {
    struct Room {
        section: Section,
        pieces: Vec<(Piece, bool)>,
        pieces_max: usize,
        taken: usize,
        tokens: usize,
    }
    impl Room {
        /// Takes what fits into `room` tokens, and returns the tokens that it took.
        fn fill(&mut self, room: usize) -> usize {
            let before = self.tokens;
            for (piece, is_taken) in &mut self.pieces {
                let size = piece.tokens();
                let fits = self.tokens - before + size <= room && self.taken < self.pieces_max;
                if fits && !*is_taken {
                    *is_taken = true;
                    self.taken += 1;
                    self.tokens += size;
                }
            }
            self.tokens - before
        }
    }
    let mut rooms: Vec<Room> = Section::ALL
        .map(|section| Room {
            section,
            pieces: Vec::new(),
            pieces_max: shares
                .iter()
                .find(|share| share.section == section)
                .map_or(0, |share| share.pieces_max),
            taken: 0,
            tokens: 0,
        })
        .into();
    for (section, pieces) in found {
        if let Some(room) = rooms.iter_mut().find(|room| room.section == section) {
            room.pieces
                .extend(pieces.into_iter().map(|piece| (piece, false)));
        }
    }
    let (mut left, mut carried) = (budget, 0);
    for share in shares {
        let own = budget.saturating_mul(share.percent) / 100;
        let room = (own + carried).min(left);
        if let Some(section) = rooms.iter_mut().find(|room| room.section == share.section) {
            let taken = section.fill(room);
            left -= taken;
            carried = (own + carried).saturating_sub(taken);
        }
    }
    for share in shares {
        if let Some(section) = rooms.iter_mut().find(|room| room.section == share.section) {
            left -= section.fill(left);
        }
    }
    let mut numbers = 1..;
    let sections = rooms.into_iter().map(|room| {
        let omitted = room.pieces.len() - room.taken;
        let taken = room.pieces.into_iter().filter(|(_, is_taken)| *is_taken);
        AssembledSection {
            section: room.section,
            items: taken
                .filter_map(|(piece, _)| Some((numbers.next()?, piece)))
                .collect(),
            tokens: room.tokens,
            omitted,
        }
    });
    Assembly {
        sections: sections.collect(),
        budget,
    }
}

#[cfg(test)]
mod tests {
    use nyxcore_retrieval::Citation;
    use proptest::prelude::*;

    use super::*;
    use crate::piece::Reference;

    fn piece(section: Section, bytes: usize) -> Piece {
        Piece {
            reference: Reference {
                citation: Citation {
                    kind: section.kind(),
                    subject_id: None,
                    title: String::new(),
                    excerpt: String::new(),
                    path: None,
                    source_id: None,
                    start_line: None,
                    end_line: None,
                    score: 0.1,
                },
                section,
                blob: None,
            },
            text: "x".repeat(bytes),
            label: None,
            suggestion: None,
            language: None,
        }
    }

    const SHARES: [SectionShare; 2] = [
        SectionShare {
            section: Section::Code,
            percent: 60,
            pieces_max: 5,
        },
        SectionShare {
            section: Section::Memory,
            percent: 40,
            pieces_max: 5,
        },
    ];

    fn counts(assembly: &Assembly) -> Vec<(Section, usize, usize)> {
        let sections = assembly
            .sections
            .iter()
            .filter(|section| section.items.len() + section.omitted > 0);
        sections
            .map(|section| (section.section, section.items.len(), section.omitted))
            .collect()
    }

    #[test]
    fn a_section_takes_its_share_and_what_was_left_over() {
        // A piece of 130 bytes takes 100 tokens.
        let of = |section, count| (section, vec![piece(section, 130); count]);
        let both = assemble(
            vec![of(Section::Code, 9), of(Section::Memory, 9)],
            &SHARES,
            500,
        );
        assert_eq!(
            counts(&both),
            [(Section::Code, 3, 6), (Section::Memory, 2, 7)]
        );
        let one = assemble(
            vec![of(Section::Code, 1), of(Section::Memory, 9)],
            &SHARES,
            500,
        );
        assert_eq!(
            counts(&one),
            [(Section::Code, 1, 0), (Section::Memory, 4, 5)]
        );
        // What the other sections do not use goes back to the first, up to its number of pieces.
        let first = assemble(vec![of(Section::Code, 9)], &SHARES, 1_000);
        assert_eq!(counts(&first), [(Section::Code, 5, 4)]);
    }

    #[test]
    fn a_long_piece_does_not_keep_out_a_short_one() {
        let found = vec![(
            Section::Code,
            vec![piece(Section::Code, 5_000), piece(Section::Code, 100)],
        )];
        let assembly = assemble(found, &SHARES, 500);
        assert_eq!(counts(&assembly), [(Section::Code, 1, 1)]);
        assert_eq!(assembly.pieces()[0].text.len(), 100);
    }

    #[test]
    fn every_section_is_there_also_without_pieces() {
        let assembly = assemble(Vec::new(), &SHARES, 500);
        let sections: Vec<Section> = assembly
            .sections
            .iter()
            .map(|section| section.section)
            .collect();
        assert_eq!(sections, Section::ALL);
    }

    proptest! {
        #[test]
        fn the_budget_holds_and_everything_is_counted(
            code in proptest::collection::vec(0_usize..2_000, 0..12),
            memory in proptest::collection::vec(0_usize..2_000, 0..12),
            budget in 0_usize..3_000,
        ) {
            let of = |section, sizes: &[usize]| (section, sizes.iter().map(|size| piece(section, *size)).collect::<Vec<_>>());
            let found = vec![of(Section::Code, &code), of(Section::Memory, &memory)];
            let assembly = assemble(found, &SHARES, budget);
            prop_assert!(assembly.tokens() <= budget);
            let counted: usize = counts(&assembly).iter().map(|(_, items, omitted)| items + omitted).sum();
            prop_assert_eq!(counted, code.len() + memory.len());
            let numbers: Vec<usize> = assembly.sections.iter().flat_map(|s| s.items.iter().map(|(n, _)| *n)).collect();
            prop_assert_eq!(numbers, (1..=assembly.pieces().len()).collect::<Vec<_>>());
        }
    }
}
