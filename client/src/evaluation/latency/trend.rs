//! Whether lag grows.

use serde::{Deserialize, Serialize};

/// A straight line through lag over time, by least squares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// How much the lag grows, in ms a minute.
    pub slope_ms_per_min: f64,
    /// Standard error of the slope, in ms a minute: `sqrt(SSE / (n - 2) / Sxx)`.
    pub standard_error_ms_per_min: f64,
    /// Points the line goes through.
    pub points: usize,
}

impl Trend {
    /// The trend of points (time in ms, lag in ms); `None` for fewer than three, or where all lie at
    /// the same time.
    #[must_use]
    pub fn of(points: &[(f64, f64)]) -> Option<Self> {
        let count = points.len() as f64;
        if points.len() < 3 {
            return None;
        }
        let minutes = |ms: f64| ms / 60_000.0;
        let mean =
            |value: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(value).sum::<f64>() / count;
        let (x0, y0) = (mean(&|p| minutes(p.0)), mean(&|p| p.1));
        let (mut sxx, mut sxy, mut syy) = (0.0, 0.0, 0.0);
        for &(x, y) in points {
            let (x, y) = (minutes(x) - x0, y - y0);
            sxx += x * x;
            sxy += x * y;
            syy += y * y;
        }
        if sxx <= 0.0 {
            return None;
        }
        let slope = sxy / sxx;
        let unexplained = (syy - slope * sxy).max(0.0);
        Some(Self {
            slope_ms_per_min: slope,
            standard_error_ms_per_min: (unexplained / (count - 2.0) / sxx).sqrt(),
            points: points.len(),
        })
    }

    /// Whether the lag grows beyond chance: the slope is more than two standard errors above 0.
    #[must_use]
    pub fn grows(&self) -> bool {
        self.slope_ms_per_min > 2.0 * self.standard_error_ms_per_min && self.slope_ms_per_min > 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_slope_and_no_error() {
        let points = [(0.0, 100.0), (60_000.0, 150.0), (120_000.0, 200.0)];
        let trend = Trend::of(&points).unwrap();
        assert!((trend.slope_ms_per_min - 50.0).abs() < 1e-9);
        assert!(trend.standard_error_ms_per_min < 1e-6);
        assert!(trend.grows());
    }

    #[test]
    fn scatter_by_hand() {
        // x = -1.5, -.5, .5, 1.5 minutes from the mean; y = 0, 20, 0, 20: Sxx 5, Sxy 20, Syy 400.
        let points = [
            (0.0, 0.0),
            (60_000.0, 20.0),
            (120_000.0, 0.0),
            (180_000.0, 20.0),
        ];
        let trend = Trend::of(&points).unwrap();
        assert!((trend.slope_ms_per_min - 4.0).abs() < 1e-9);
        let expected = ((400.0 - 80.0) / 2.0 / 5.0_f64).sqrt();
        assert!((trend.standard_error_ms_per_min - expected).abs() < 1e-9);
        assert!(!trend.grows());
    }

    #[test]
    fn two_points_or_one_moment_have_no_trend() {
        assert_eq!(Trend::of(&[(0.0, 1.0), (1.0, 2.0)]), None);
        assert_eq!(Trend::of(&[(5.0, 1.0); 4]), None);
    }
}
