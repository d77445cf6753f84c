//! Colors of one pixel from one space to another, in numbers from 0 to 1 where the space has such.
//!
//! Constants are those of scikit-image: the sRGB primaries, the illuminant D65 seen under 2 degrees, and the stains of
//! A. C. Ruifrok and D. A. Johnston, "Quantification of histochemical staining by color deconvolution" (2001).

/// Three channels.
pub(crate) type Color = [f64; 3];

type Matrix = [[f64; 3]; 3];

const XYZ_FROM_RGB: Matrix =
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]];
const YCBCR_FROM_RGB: Matrix =
    [[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]];
const YCBCR_OF_BLACK: Color = [16.0, 128.0, 128.0];
/// Rows are stains, columns are channels.
const RGB_FROM_HED: Matrix = [[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]];
/// White, as the CIE's spaces measure it.
const WHITE: Color = [0.95047, 1.0, 1.08883];
/// What a stain is measured down to.
const DARKEST: f64 = 1e-6;

const RGB_FROM_XYZ: Matrix = inverse(XYZ_FROM_RGB);
const RGB_FROM_YCBCR: Matrix = inverse(YCBCR_FROM_RGB);
const HED_FROM_RGB: Matrix = inverse(RGB_FROM_HED);

/// The inverse of a matrix, by its cofactors.
const fn inverse(m: Matrix) -> Matrix {
    let mut cofactors = [[0.0; 3]; 3];
    let mut row = 0;
    while row < 3 {
        let mut column = 0;
        while column < 3 {
            let (a, b) = ((row + 1) % 3, (row + 2) % 3);
            let (c, d) = ((column + 1) % 3, (column + 2) % 3);
            cofactors[column][row] = m[a][c] * m[b][d] - m[a][d] * m[b][c];
            column += 1;
        }
        row += 1;
    }
    let determinant = m[0][0] * cofactors[0][0] + m[0][1] * cofactors[1][0] + m[0][2] * cofactors[2][0];
    row = 0;
    while row < 3 {
        let mut column = 0;
        while column < 3 {
            cofactors[row][column] /= determinant;
            column += 1;
        }
        row += 1;
    }
    cofactors
}

fn times(matrix: &Matrix, color: Color) -> Color {
    matrix.map(|row| row[0] * color[0] + row[1] * color[1] + row[2] * color[2])
}

/// Rows times the matrix, as stains mix.
fn mixed(color: Color, matrix: &Matrix) -> Color {
    [0, 1, 2].map(|column| (0..3).map(|row| color[row] * matrix[row][column]).sum())
}

pub(crate) fn rgb_to_hsv(rgb: Color) -> Color {
    let [red, green, blue] = rgb;
    if rgb.iter().any(|channel| channel.is_nan()) {
        return [0.0; 3];
    }
    let value = red.max(green).max(blue);
    let delta = value - red.min(green).min(blue);
    if delta == 0.0 {
        return [0.0, 0.0, value];
    }
    // Of equal channels the last one counts.
    let sixths = if blue == value {
        4.0 + (red - green) / delta
    } else if green == value {
        2.0 + (blue - red) / delta
    } else {
        (green - blue) / delta
    };
    [(sixths / 6.0).rem_euclid(1.0), delta / value, value]
}

pub(crate) fn hsv_to_rgb([hue, saturation, value]: Color) -> Color {
    let sixth = (hue * 6.0).floor();
    let part = hue * 6.0 - sixth;
    let p = value * (1.0 - saturation);
    let q = value * (1.0 - part * saturation);
    let t = value * (1.0 - (1.0 - part) * saturation);
    match sixth.rem_euclid(6.0) as u8 {
        0 => [value, t, p],
        1 => [q, value, p],
        2 => [p, value, t],
        3 => [p, q, value],
        4 => [t, p, value],
        _ => [value, p, q],
    }
}

pub(crate) fn rgb_to_xyz(rgb: Color) -> Color {
    let linear = |channel: f64| {
        if channel > 0.04045 { ((channel + 0.055) / 1.055).powf(2.4) } else { channel / 12.92 }
    };
    times(&XYZ_FROM_RGB, rgb.map(linear))
}

pub(crate) fn xyz_to_rgb(xyz: Color) -> Color {
    let bent = |channel: f64| {
        let bent =
            if channel > 0.0031308 { 1.055 * channel.powf(1.0 / 2.4) - 0.055 } else { channel * 12.92 };
        bent.clamp(0.0, 1.0)
    };
    times(&RGB_FROM_XYZ, xyz).map(bent)
}

pub(crate) fn xyz_to_lab(xyz: Color) -> Color {
    let root = |at: usize| {
        let channel = xyz[at] / WHITE[at];
        if channel > 0.008856 { channel.cbrt() } else { 7.787 * channel + 16.0 / 116.0 }
    };
    let (x, y, z) = (root(0), root(1), root(2));
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

pub(crate) fn lab_to_xyz([lightness, a, b]: Color) -> Color {
    let y = (lightness + 16.0) / 116.0;
    let z = y - b / 200.0;
    let roots = [a / 500.0 + y, y, if z < 0.0 { 0.0 } else { z }];
    [0, 1, 2].map(|at| {
        let root = roots[at];
        WHITE[at] * if root > 0.2068966 { root.powi(3) } else { (root - 16.0 / 116.0) / 7.787 }
    })
}

/// `u'` and `v'` of a color.
fn chromaticity([x, y, z]: Color, at_least: f64) -> [f64; 2] {
    let sum = x + 15.0 * y + 3.0 * z + at_least;
    [4.0 * x / sum, 9.0 * y / sum]
}

pub(crate) fn xyz_to_luv(xyz: Color) -> Color {
    let y = xyz[1] / WHITE[1];
    let lightness = if y > 0.008856 { 116.0 * y.cbrt() - 16.0 } else { 903.3 * y };
    let ([u, v], [u0, v0]) = (chromaticity(xyz, f64::EPSILON), chromaticity(WHITE, 0.0));
    [lightness, 13.0 * lightness * (u - u0), 13.0 * lightness * (v - v0)]
}

pub(crate) fn luv_to_xyz([lightness, u, v]: Color) -> Color {
    let y = WHITE[1]
        * if lightness > 7.999625 { ((lightness + 16.0) / 116.0).powi(3) } else { lightness / 903.3 };
    let [u0, v0] = chromaticity(WHITE, 0.0);
    let a = u0 + u / (13.0 * lightness + f64::EPSILON);
    let b = v0 + v / (13.0 * lightness + f64::EPSILON);
    let c = 3.0 * y * (5.0 * b - 3.0);
    let z = ((a - 4.0) * c - 15.0 * a * b * y) / (12.0 * b);
    [-(c / b + 3.0 * z), y, z]
}

pub(crate) fn rgb_to_ycbcr(rgb: Color) -> Color {
    let color = times(&YCBCR_FROM_RGB, rgb);
    [0, 1, 2].map(|at| color[at] + YCBCR_OF_BLACK[at])
}

pub(crate) fn ycbcr_to_rgb(ycbcr: Color) -> Color {
    times(&RGB_FROM_YCBCR, [0, 1, 2].map(|at| ycbcr[at] - YCBCR_OF_BLACK[at]))
}

pub(crate) fn rgb_to_hed(rgb: Color) -> Color {
    let dark = rgb.map(|channel| if channel < DARKEST { DARKEST } else { channel }.ln() / DARKEST.ln());
    mixed(dark, &HED_FROM_RGB).map(|stain| if stain < 0.0 { 0.0 } else { stain })
}

pub(crate) fn hed_to_rgb(hed: Color) -> Color {
    let dark = mixed(hed.map(|stain| stain * DARKEST.ln()), &RGB_FROM_HED);
    dark.map(|channel| channel.exp().clamp(0.0, 1.0))
}

pub(crate) fn rgb_to_lab(rgb: Color) -> Color {
    xyz_to_lab(rgb_to_xyz(rgb))
}

pub(crate) fn lab_to_rgb(lab: Color) -> Color {
    xyz_to_rgb(lab_to_xyz(lab))
}

pub(crate) fn rgb_to_luv(rgb: Color) -> Color {
    xyz_to_luv(rgb_to_xyz(rgb))
}

pub(crate) fn luv_to_rgb(luv: Color) -> Color {
    xyz_to_rgb(luv_to_xyz(luv))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Constants of a few digits, and their inverses.
    const TOLERANCE: f64 = 1e-9;

    #[track_caller]
    fn there_and_back(there: fn(Color) -> Color, back: fn(Color) -> Color) {
        for code in 1..125 {
            let color = [code % 5, code / 5 % 5, code / 25].map(|step| f64::from(step) / 4.0);
            let found = back(there(color));
            for (found, expected) in found.iter().zip(color) {
                assert!((found - expected).abs() < TOLERANCE, "{color:?} {found}");
            }
        }
    }

    #[test]
    fn colors_come_back() {
        there_and_back(rgb_to_hsv, hsv_to_rgb);
        there_and_back(rgb_to_xyz, xyz_to_rgb);
        there_and_back(rgb_to_lab, lab_to_rgb);
        there_and_back(rgb_to_luv, luv_to_rgb);
        there_and_back(rgb_to_ycbcr, ycbcr_to_rgb);
    }

    #[test]
    fn known_colors_have_their_numbers() {
        assert_eq!(rgb_to_hsv([1.0, 0.0, 0.0]), [0.0, 1.0, 1.0]);
        assert_eq!(rgb_to_hsv([0.0, 0.5, 0.5]), [0.5, 1.0, 0.5]);
        assert_eq!(hsv_to_rgb([1.0, 1.0, 1.0]), [1.0, 0.0, 0.0]);
        assert_eq!(rgb_to_hsv([f64::NAN, 0.5, 0.5]), [0.0; 3]);
        let [lightness, a, b] = rgb_to_lab([1.0; 3]);
        assert!((lightness - 100.0).abs() < 1e-3 && a.abs() < 1e-2 && b.abs() < 1e-1);
    }
}
