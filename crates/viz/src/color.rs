//! Colors, the perceptual color map and the palette of layers.
//!
//! Kept apart from the renderers because views choose colors and renderers only write them.

use std::fmt;

/// An opaque color in sRGB, one byte per channel.
///
/// # Examples
///
/// ```
/// use musher_viz::Color;
/// assert_eq!(Color::new(255, 128, 0).to_string(), "#ff8000");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Color {
    /// Red, 0 to 255.
    pub red: u8,
    /// Green, 0 to 255.
    pub green: u8,
    /// Blue, 0 to 255.
    pub blue: u8,
}

impl Color {
    /// A color from its three channels.
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// The perceptual color map viridis at `position` between 0 (dark blue) and 1 (yellow).
    ///
    /// A position outside, or NaN, is moved to the nearest end.
    ///
    /// # Examples
    ///
    /// ```
    /// use musher_viz::Color;
    /// assert_eq!(Color::viridis(0.0), Color::new(68, 1, 84));
    /// assert_eq!(Color::viridis(7.0), Color::new(253, 231, 37));
    /// ```
    ///
    /// Source: viridis of matplotlib (CC0), sampled at 17 points and linear between them.
    pub fn viridis(position: f64) -> Self {
        let position = if position.is_nan() { 0.0 } else { position.clamp(0.0, 1.0) };
        let scaled = position * (VIRIDIS.len() - 1) as f64;
        let low = (scaled.floor() as usize).min(VIRIDIS.len() - 2);
        VIRIDIS[low].mix(VIRIDIS[low + 1], scaled - low as f64)
    }

    /// The color of the `index`-th of several groups; it repeats after twelve.
    ///
    /// The colors are light enough for dark text to be read on them.
    pub fn of_group(index: usize) -> Self {
        GROUPS[index % GROUPS.len()]
    }

    /// The color `fraction` of the way from this one to `other`.
    pub fn mix(self, other: Self, fraction: f64) -> Self {
        let channel = |from: u8, to: u8| {
            (f64::from(from) + (f64::from(to) - f64::from(from)) * fraction).round().clamp(0.0, 255.0) as u8
        };
        Self::new(
            channel(self.red, other.red),
            channel(self.green, other.green),
            channel(self.blue, other.blue),
        )
    }

    /// A color for text on this one: dark gray, white or black, of a contrast of at least 4.5 to 1, which WCAG 2 asks for.
    pub fn ink(self) -> Self {
        const BLACK: Color = Color::new(0, 0, 0);
        const WHITE: Color = Color::new(255, 255, 255);
        // Where dark gray and white both fail, black is more than enough: 4.5 times 4.5 is less than 21.
        [INK, WHITE].into_iter().find(|ink| self.contrast(*ink) >= READABLE).unwrap_or(BLACK)
    }

    /// The same for text of less weight, nearer to this color as far as it can still be read.
    pub(crate) fn faint_ink(self) -> Self {
        let faint = self.ink().mix(self, 0.25);
        if self.contrast(faint) >= READABLE { faint } else { self.ink() }
    }

    /// The contrast of two colors as WCAG 2 defines it, from 1 to 21.
    fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// Relative luminance between 0 (black) and 1 (white), as WCAG 2 defines it.
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            match value <= 0.040_45 {
                true => value / 12.92,
                false => ((value + 0.055) / 1.055).powf(2.4),
            }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }
}

impl fmt::Display for Color {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

/// The least contrast of text that WCAG 2 asks for.
const READABLE: f64 = 4.5;

/// Text.
pub(crate) const INK: Color = Color::new(0x1f, 0x29, 0x33);
/// Text of less weight.
pub(crate) const FAINT_INK: Color = Color::new(0x5b, 0x67, 0x74);
/// The paper.
pub(crate) const PAPER: Color = Color::new(0xff, 0xff, 0xff);
/// Lines between nodes.
pub(crate) const LINE: Color = Color::new(0x70, 0x7d, 0x8a);
/// Data, when nothing else decides.
pub(crate) const DATA: Color = Color::new(0xe6, 0xee, 0xf7);
/// Operations, when nothing else decides.
pub(crate) const OPERATION: Color = Color::new(0xfd, 0xee, 0xd3);

/// Pairwise distinct light tones (ColorBrewer's Set3, Apache-2.0, its yellow a little darker).
const GROUPS: [Color; 12] = [
    Color::new(0x8d, 0xd3, 0xc7),
    Color::new(0xfd, 0xb4, 0x62),
    Color::new(0xbe, 0xba, 0xda),
    Color::new(0xfb, 0x80, 0x72),
    Color::new(0x80, 0xb1, 0xd3),
    Color::new(0xb3, 0xde, 0x69),
    Color::new(0xfc, 0xcd, 0xe5),
    Color::new(0xd9, 0xd9, 0xd9),
    Color::new(0xbc, 0x80, 0xbd),
    Color::new(0xcc, 0xeb, 0xc5),
    Color::new(0xff, 0xed, 0x6f),
    Color::new(0xe5, 0xc4, 0x94),
];

const VIRIDIS: [Color; 17] = [
    Color::new(68, 1, 84),
    Color::new(72, 24, 106),
    Color::new(71, 45, 123),
    Color::new(66, 64, 134),
    Color::new(59, 82, 139),
    Color::new(51, 99, 141),
    Color::new(44, 114, 142),
    Color::new(38, 130, 142),
    Color::new(33, 145, 140),
    Color::new(31, 160, 136),
    Color::new(40, 174, 128),
    Color::new(63, 188, 115),
    Color::new(94, 201, 98),
    Color::new(132, 212, 75),
    Color::new(173, 220, 48),
    Color::new(216, 226, 25),
    Color::new(253, 231, 37),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viridis_grows_lighter_along_its_whole_length() {
        let luminances: Vec<f64> =
            (0..=100).map(|i| Color::viridis(f64::from(i) / 100.0).luminance()).collect();
        assert!(luminances.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn ink_reads_on_every_color() {
        let levels = || (0..=255).step_by(15);
        let all =
            levels().flat_map(|r| levels().flat_map(move |g| levels().map(move |b| Color::new(r, g, b))));
        let viridis = (0..=64).map(|i| Color::viridis(f64::from(i) / 64.0));
        for color in (0..12).map(Color::of_group).chain(viridis).chain(all) {
            for ink in [color.ink(), color.faint_ink()] {
                assert!(color.contrast(ink) >= READABLE, "{ink} on {color}");
            }
        }
    }

    #[test]
    fn a_position_that_is_no_number_is_the_low_end() {
        assert_eq!(Color::viridis(f64::NAN), Color::viridis(0.0));
    }
}
