//! Elementary functions, of single precision unless they say otherwise, free of branches and tables, so that loops over them
//! become vector instructions where they are inlined.
#![expect(clippy::inline_always, reason = "only inlined code gets the instructions of its caller")]
#![expect(clippy::excessive_precision, reason = "coefficients stand as they are published")]

use std::f32::consts::{FRAC_1_PI, FRAC_1_SQRT_2, LOG2_E};

/// The normal density at 0.
const DENSITY: f32 = 0.398_942_28;

/// Added to a number below 2^22, it leaves the nearest integer in the lowest bits: 1.5 * 2^23.
const ROUND: f32 = 12_582_912.0;

/// The polynomial with `coefficients`, the highest power first (Horner's scheme).
#[inline(always)]
fn polynomial<const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    let mut sum = coefficients[0];
    for coefficient in &coefficients[1..] {
        sum = sum.mul_add(x, *coefficient);
    }
    sum
}

/// `e^x` for `x` from -87 to 88, relative error below 2e-7: `2^n e^r` with `r` at most half of ln 2
/// (Cody and Waite, 1980; coefficients of Cephes, Moshier, 1989).
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    let shifted = x.mul_add(LOG2_E, ROUND);
    let n = shifted - ROUND;
    // ln 2 in two parts, the first so short that its product with `n` is exact.
    let r = n.mul_add(2.121_944_4e-4, n.mul_add(-0.693_359_375, x));
    let tail = polynomial(
        r,
        [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5],
    );
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    (tail.mul_add(r * r, r) + 1.0) * power
}

/// `e^x` in double precision, relative error below 1e-15: as [`exp`], with Taylor's series for the rest. Below
/// -708 it stays at `e^-708`. Without fused multiplications, so that it has the same bits on every machine.
#[inline(always)]
pub(super) fn exp_double(x: f64) -> f64 {
    // 1.5 * 2^52.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let x = x.clamp(-708.0, 709.0);
    let shifted = x * std::f64::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * 0.693_147_180_369_123_816_490) - n * 1.908_214_929_270_587_700_02e-10;
    let mut sum = TAYLOR[0];
    for coefficient in &TAYLOR[1..] {
        sum = sum * r + coefficient;
    }
    sum * f64::from_bits((shifted.to_bits() << 52).wrapping_add(1023 << 52))
}

/// `1 / k!`, the highest `k` first.
const TAYLOR: [f64; 14] = [
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
    1.0,
    1.0,
];

/// `x - n pi` with the nearest integer `n`, and the bits of a number that ends with those of `n`.
#[inline(always)]
fn half_turns(x: f32) -> (f32, u32) {
    let shifted = x.mul_add(FRAC_1_PI, ROUND);
    let n = shifted - ROUND;
    // pi in three parts, as in `exp`.
    let r = n.mul_add(-1.509_958e-7, n.mul_add(-9.675_026e-4, n.mul_add(-3.140_625, x)));
    (r.clamp(-2.0, 2.0), shifted.to_bits())
}

/// `cos x`, absolute error below 2e-7 for `x` within 1000 and growing with `x` beyond, as that of `x`
/// itself does: `(-1)^n cos r` with `r = x - n pi` and Taylor's series.
#[inline(always)]
pub(super) fn cos(x: f32) -> f32 {
    let (r, n) = half_turns(x);
    let even = polynomial(
        r * r,
        [
            2.087_675_7e-9,
            -2.755_731_9e-7,
            2.480_158_7e-5,
            -1.388_888_9e-3,
            4.166_666_7e-2,
            -0.5,
            1.0,
        ],
    );
    f32::from_bits(even.to_bits() ^ (n << 31))
}

/// `sin x`, as accurate as [`cos`]: `(-1)^n sin r`.
#[inline(always)]
pub(super) fn sin(x: f32) -> f32 {
    let (r, n) = half_turns(x);
    let odd = polynomial(
        r * r,
        [
            1.605_904_4e-10,
            -2.505_210_8e-8,
            2.755_731_9e-6,
            -1.984_127e-4,
            8.333_333_3e-3,
            -1.666_666_7e-1,
            1.0,
        ],
    );
    f32::from_bits((r * odd).to_bits() ^ (n << 31))
}

/// `x tanh(ln(1 + e^x))`, as in [`super::Activation::Mish`].
#[inline(always)]
pub(super) fn mish(x: f32) -> f32 {
    let power = exp(x.clamp(-80.0, 20.0));
    let n = power * (power + 2.0);
    x * (n / (n + 2.0))
}

/// [`mish`] and its slope `t + 2 x n' / (n + 2)^2`, `t = n / (n + 2)` and `n' = 2 e^x (e^x + 1)`.
#[inline(always)]
pub(super) fn mish_and_slope(x: f32) -> (f32, f32) {
    let power = exp(x.clamp(-80.0, 20.0));
    let n = power * (power + 2.0);
    let one_over = 1.0 / (n + 2.0);
    let share = n * one_over;
    let steepness = 4.0 * power * (power + 1.0) * one_over * one_over;
    (x * share, x.mul_add(steepness, share))
}

/// `x / (1 + e^-x)`.
#[inline(always)]
pub(super) fn silu(x: f32) -> f32 {
    x / (1.0 + exp((-x).clamp(-80.0, 80.0)))
}

/// [`silu`] and its slope `s (1 + x (1 - s))`, `s` the logistic function.
#[inline(always)]
pub(super) fn silu_and_slope(x: f32) -> (f32, f32) {
    let share = 1.0 / (1.0 + exp((-x).clamp(-80.0, 80.0)));
    (x * share, share * x.mul_add(1.0 - share, 1.0))
}

/// The hyperbolic tangent, absolute error below 2e-7.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (exp((2.0 * x).clamp(-80.0, 80.0)) + 1.0)
}

/// [`tanh`] and its slope `1 - tanh^2`.
#[inline(always)]
pub(super) fn tanh_and_slope(x: f32) -> (f32, f32) {
    let value = tanh(x);
    (value, 1.0 - value * value)
}

/// `x Phi(x)` with the normal distribution function, absolute error below 5e-7 (1 + |x|)
/// (Abramowitz and Stegun, 1964, 7.1.26).
#[inline(always)]
pub(super) fn gelu(x: f32) -> f32 {
    gelu_and_slope(x).0
}

/// [`gelu`] and its slope `Phi(x) + x phi(x)`, `phi` the normal density.
#[inline(always)]
pub(super) fn gelu_and_slope(x: f32) -> (f32, f32) {
    let scaled = (x * FRAC_1_SQRT_2).abs();
    let t = 1.0 / scaled.mul_add(0.327_591_1, 1.0);
    let sum =
        t * polynomial(t, [1.061_405_4, -1.453_152_1, 1.421_413_8, -0.284_496_72, 0.254_829_6]);
    let bell = exp((-scaled * scaled).clamp(-80.0, 0.0));
    let erf = 1.0 - sum * bell;
    let share = 0.5 * (1.0 + erf.copysign(x));
    (x * share, (x * bell).mul_add(DENSITY, share))
}

#[cfg(test)]
mod tests {
    use statrs::function::erf::erf;

    use super::*;

    /// The largest `error(found, expected, x)` of a function over `[-range, range]`.
    fn largest(
        range: f32,
        function: fn(f32) -> f32,
        expected: fn(f64) -> f64,
        error: fn(f64, f64, f64) -> f64,
    ) -> f64 {
        let steps = 200_000;
        let at = |step: i32| range * step as f32 / steps as f32;
        let errors = (-steps..=steps).map(|step| {
            let x = at(step);
            error(f64::from(function(x)), expected(f64::from(x)), f64::from(x)).abs()
        });
        errors.fold(0.0, f64::max)
    }

    #[test]
    fn functions_equal_those_of_double_precision() {
        assert!(largest(85.0, exp, f64::exp, |found, expected, _| found / expected - 1.0) < 2e-7);
        assert!(largest(1000.0, cos, f64::cos, |found, expected, _| found - expected) < 2e-7);
        assert!(largest(1000.0, sin, f64::sin, |found, expected, _| found - expected) < 2e-7);
        assert!(largest(90.0, tanh, f64::tanh, |found, expected, _| found - expected) < 2e-7);
        let relative = |found, expected, x: f64| (found - expected) / (1.0 + x.abs());
        assert!(largest(100.0, mish, |x| x * x.exp().ln_1p().tanh(), relative) < 2e-7);
        assert!(largest(90.0, silu, |x| x / (1.0 + (-x).exp()), relative) < 2e-7);
        assert!(
            largest(30.0, gelu, |x| 0.5 * x * (1.0 + erf(x * 0.5_f64.sqrt())), relative) < 5e-7
        );
    }

    /// A function with its slope, and the function in double precision.
    type Pair = (fn(f32) -> (f32, f32), fn(f64) -> f64);

    #[test]
    fn slopes_equal_difference_quotients() {
        let step = 1e-5;
        let functions: [Pair; 4] = [
            (mish_and_slope, |x| x * x.exp().ln_1p().tanh()),
            (silu_and_slope, |x| x / (1.0 + (-x).exp())),
            (tanh_and_slope, f64::tanh),
            (gelu_and_slope, |x| 0.5 * x * (1.0 + erf(x * 0.5_f64.sqrt()))),
        ];
        for (function, exact) in functions {
            for place in -4000..=4000 {
                let x = f64::from(place) * 0.01;
                let (value, slope) = function(x as f32);
                let expected = (exact(x + step) - exact(x - step)) / (2.0 * step);
                assert!((f64::from(value) - exact(x)).abs() < 5e-7 * (1.0 + x.abs()), "{x}");
                assert!((f64::from(slope) - expected).abs() < 2e-6, "{x}: {slope} {expected}");
            }
        }
    }

    #[test]
    fn double_exponential_equals_the_standard_librarys() {
        for step in -70_000..=70_000 {
            let x = f64::from(step) * 0.010_1;
            let error = exp_double(x) / x.exp() - 1.0;
            assert!(error.abs() < 1e-15, "{x}: {error}");
        }
        assert_eq!((exp_double(0.0), exp_double(-1e300)), (1.0, exp_double(-708.0)));
        assert!(exp_double(f64::NAN).is_nan());
    }

    #[test]
    fn what_is_not_a_number_stays_none() {
        for function in [exp, sin, cos, mish, silu, tanh, gelu] {
            assert!(function(f32::NAN).is_nan());
        }
    }
}
