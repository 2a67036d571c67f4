//! Axes: a plane with a scale along two sides.

use super::svg::{Anchor, Svg};

const LEFT: f64 = 64.0;
const TOP: f64 = 62.0;
const BOTTOM: f64 = 52.0;
const GREY: &str = "#dddddd";

/// A plane of values, mapped to pixels.
#[derive(Debug)]
pub(super) struct Chart {
    pub(super) svg: Svg,
    x: (f64, f64),
    y: (f64, f64),
    size: (f64, f64),
}

impl Chart {
    /// A chart with axes that hold these ranges; `right` pixels are left for a legend.
    pub(super) fn new(
        title: &str,
        (x_name, x): (&str, (f64, f64)),
        (y_name, y): (&str, (f64, f64)),
        right: f64,
    ) -> Self {
        let (width, height) = (900.0, 420.0);
        let mut svg = Svg::new(width, height);
        svg.text((LEFT, 24.0), 16.0, Anchor::Start, title);
        let size = (width - LEFT - right, height - TOP - BOTTOM);
        let (x_ticks, y_ticks) = (ticks(x), ticks(y));
        let range = |ticks: &[f64], (low, high): (f64, f64)| {
            let first = ticks.first().copied().unwrap_or(low);
            let last = ticks.last().copied().unwrap_or(high);
            (first.min(low), last.max(high))
        };
        let mut chart = Self {
            svg,
            x: range(&x_ticks, x),
            y: range(&y_ticks, y),
            size,
        };
        for tick in y_ticks {
            let (left, at) = chart.at(chart.x.0, tick);
            let grey = if tick == 0.0 { "#888888" } else { GREY };
            chart.svg.line((left, at), (left + size.0, at), grey, 1.0);
            chart
                .svg
                .text((left - 8.0, at + 4.0), 12.0, Anchor::End, &number(tick));
        }
        for tick in x_ticks {
            let (at, bottom) = chart.at(tick, chart.y.0);
            chart
                .svg
                .line((at, bottom), (at, bottom + 5.0), "#888888", 1.0);
            chart
                .svg
                .text((at, bottom + 20.0), 12.0, Anchor::Middle, &number(tick));
        }
        let middle = LEFT + size.0 / 2.0;
        chart
            .svg
            .text((middle, height - 10.0), 12.0, Anchor::Middle, x_name);
        chart
            .svg
            .text((8.0, TOP - 16.0), 12.0, Anchor::Start, y_name);
        chart
    }

    /// The pixel of a value.
    pub(super) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let part = |value: f64, (low, high): (f64, f64)| (value - low) / (high - low).max(1e-9);
        (
            LEFT + part(x, self.x) * self.size.0,
            TOP + (1.0 - part(y, self.y)) * self.size.1,
        )
    }

    /// Names a colour, in the `row`th line to the right of the plane.
    pub(super) fn legend(&mut self, row: usize, colour: &str, name: &str) {
        let (x, y) = (LEFT + self.size.0 + 14.0, TOP + 10.0 + row as f64 * 18.0);
        self.svg.rectangle((x, y - 9.0), (10.0, 10.0), colour, 1.0);
        self.svg.text((x + 16.0, y), 12.0, Anchor::Start, name);
    }

    /// The picture.
    pub(super) fn finish(self) -> String {
        self.svg.finish()
    }
}

/// About six round numbers that span a range.
fn ticks((low, high): (f64, f64)) -> Vec<f64> {
    let rough = ((high - low) / 6.0).max(1e-3);
    let power = 10.0_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|step| *step >= rough)
        .unwrap_or(rough);
    let (first, last) = ((low / step).floor() as i64, (high / step).ceil() as i64);
    (first..=last).map(|n| n as f64 * step).collect()
}

fn number(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_span_the_range() {
        assert_eq!(ticks((0.0, 11.3)), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0]);
        assert_eq!(ticks((-0.4, 1.0)), [-0.5, 0.0, 0.5, 1.0]);
        assert!(ticks((5.0, 5.0)).len() >= 2 || ticks((5.0, 5.0)) == [5.0]);
    }
}
