//! Median and range of a few runs, and how they are written. Nothing is left out of a range.

/// Median, smallest and largest of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// The middle value; of an even number, the lower one of the two.
    pub(crate) median: f64,
    /// The smallest value.
    pub(crate) least: f64,
    /// The largest value.
    pub(crate) most: f64,
}

impl Spread {
    /// The spread of some values; `None` for no value at all.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let median = *values.get(values.len().saturating_sub(1) / 2)?;
        Some(Self { median, least: *values.first()?, most: *values.last()? })
    }

    /// `median (least..most)` with so many decimals.
    pub(crate) fn shown(&self, decimals: usize) -> String {
        let Self { median, least, most } = self;
        format!("{median:.decimals$} ({least:.decimals$}..{most:.decimals$})")
    }
}

/// The value below or at which this part of all values lies (nearest rank); `None` for no value at all.
pub(crate) fn percentile(values: impl IntoIterator<Item = f64>, part: f64) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let count = f64::from(u32::try_from(values.len()).ok()?);
    let below =
        |place: &usize| u32::try_from(*place + 1).is_ok_and(|rank| f64::from(rank) >= part * count);
    let place = (0..values.len()).find(below)?;
    values.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_measured_value() {
        let values = || (1..=20).map(f64::from);
        for (part, expected) in [(0.5, 10.0), (0.95, 19.0), (0.99, 20.0), (0.0, 1.0)] {
            assert_eq!(percentile(values(), part), Some(expected), "{part}");
        }
        assert_eq!(percentile([], 0.5), None);
    }

    #[test]
    fn the_median_is_a_measured_value_and_the_range_holds_all() {
        for (values, shown) in [
            (vec![3.0, 1.0, 2.0], "2.0 (1.0..3.0)"),
            (vec![4.0, 1.0, 3.0, 2.0], "2.0 (1.0..4.0)"),
            (vec![7.0], "7.0 (7.0..7.0)"),
        ] {
            assert_eq!(Spread::of(values).unwrap().shown(1), shown);
        }
        assert_eq!(Spread::of([]), None);
    }
}
