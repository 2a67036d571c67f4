//! Recordings together: by language pair, and all.

use std::collections::BTreeSet;

use super::schema::{
    Compared, Memory, Percent, Quality, RecordingReport, Report, Spans, Stage, Totals,
};
use crate::evaluation::{
    latency::{Distribution, Trend, Weighted},
    quality::{BleuCounts, ChrfCounts, WordErrors},
    spoken::Account,
};

/// A recording's report, and what totals are made from: scores of many recordings are no means of
/// scores, but come from counts.
#[derive(Debug, Clone, Default)]
pub struct Scored {
    /// What goes into the report.
    pub report: RecordingReport,
    /// Ear-voice span of each clause.
    pub by_clause: Vec<Weighted>,
    /// Ear-voice span of each word.
    pub by_word: Vec<Weighted>,
    /// First speech of each long utterance.
    pub utterance_starts: Vec<Weighted>,
    /// LAAL of each sentence, in ms.
    pub laal_ms: Vec<f64>,
    /// YAAL of each sentence, in ms.
    pub yaal_ms: Vec<f64>,
    /// Source text against the transcript.
    pub source_errors: Option<WordErrors>,
    /// Speech against what it should say.
    pub speech_errors: Option<WordErrors>,
    /// Translation against the reference.
    pub text: Option<(BleuCounts, ChrfCounts)>,
    /// Speech against the reference.
    pub speech: Option<(BleuCounts, ChrfCounts)>,
}

impl Scored {
    /// The scores of the counts.
    #[must_use]
    pub fn quality(&self) -> Quality {
        quality(&[self])
    }

    fn pair(&self) -> String {
        let report = &self.report;
        format!("{}-{}", report.source_language, report.target_language)
    }
}

/// Totals of each language pair and, where there are several, of all.
#[must_use]
pub fn totals(scored: &[Scored]) -> Vec<Totals> {
    let pairs: BTreeSet<String> = scored.iter().map(Scored::pair).collect();
    let mut totals: Vec<Totals> = pairs
        .iter()
        .map(|pair| {
            let of_pair = scored.iter().filter(|s| s.pair() == *pair);
            together(pair, &of_pair.collect::<Vec<_>>())
        })
        .collect();
    if pairs.len() > 1 {
        totals.push(together("all", &scored.iter().collect::<Vec<_>>()));
    }
    totals
}

fn together(pair: &str, scored: &[&Scored]) -> Totals {
    let reports = || scored.iter().map(|scored| &scored.report);
    let spread = |of: &dyn Fn(&Scored) -> &[Weighted]| {
        let values: Vec<Weighted> = scored.iter().flat_map(|s| of(s).to_vec()).collect();
        Distribution::of(&values)
    };
    let trends = reports().filter_map(|report| report.lag_trend);
    let erased = reports().filter_map(|r| Some(r.translation_erasure?.committed));
    Totals {
        pair: pair.to_owned(),
        recordings: scored.len(),
        source_ms: reports().map(|report| report.source_ms).sum(),
        ear_voice_span: Spans {
            by_clause: spread(&|scored| &scored.by_clause),
            by_word: spread(&|scored| &scored.by_word),
        },
        utterance_start: spread(&|scored| &scored.utterance_starts),
        stream_laal_ms: mean(scored.iter().flat_map(|s| s.laal_ms.iter().copied())),
        long_yaal_ms: mean(scored.iter().flat_map(|s| s.yaal_ms.iter().copied())),
        steepest_lag: trends
            .max_by(|a: &Trend, b| a.slope_ms_per_min.total_cmp(&b.slope_ms_per_min)),
        committed_erasure: erased.fold(0.0, f64::max),
        account: reports().fold(Account::default(), |sum, report| sum + report.account),
        quality: quality(scored),
        compute: compute(scored),
    }
}

/// The mean; `None` of nothing.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / f64::from(count))
}

fn quality(scored: &[&Scored]) -> Quality {
    let percent = |of: &dyn Fn(&Scored) -> Option<WordErrors>| {
        let errors: Vec<WordErrors> = scored.iter().filter_map(|s| of(s)).collect();
        let sum: WordErrors = errors.iter().copied().sum();
        (!errors.is_empty()).then(|| Percent {
            errors: sum.errors,
            words: sum.words,
            percent: sum.percent(),
        })
    };
    let scores = |of: &dyn Fn(&Scored) -> Option<(BleuCounts, ChrfCounts)>| {
        let counts: Vec<_> = scored.iter().filter_map(|s| of(s)).collect();
        let bleu: BleuCounts = counts.iter().map(|(bleu, _)| *bleu).sum();
        let chrf: ChrfCounts = counts.iter().map(|(_, chrf)| *chrf).sum();
        match counts.is_empty() {
            true => (None, None),
            false => (Some(bleu.score()), Some(chrf.score())),
        }
    };
    let (bleu, chrf) = scores(&|scored| scored.text);
    let (asr_bleu, asr_chrf) = scores(&|scored| scored.speech);
    Quality {
        wer: percent(&|scored| scored.source_errors),
        bleu,
        chrf,
        asr_bleu,
        asr_chrf,
        asr_wer: percent(&|scored| scored.speech_errors),
    }
}

fn compute(scored: &[&Scored]) -> Vec<Stage> {
    // Recordings whose session broke tell no computing, and their audio does not count.
    let told = || {
        scored
            .iter()
            .filter(|scored| !scored.report.compute.is_empty())
    };
    let seconds = told().map(|s| s.report.source_ms).sum::<u64>() as f64 / 1000.0;
    let mut stages: Vec<Stage> = Vec::new();
    for stage in told().flat_map(|scored| &scored.report.compute) {
        match stages.iter_mut().find(|sum| sum.stage == stage.stage) {
            Some(sum) => {
                sum.calls += stage.calls;
                sum.busy_ms += stage.busy_ms;
                sum.waited_ms += stage.waited_ms;
            }
            None => stages.push(stage.clone()),
        }
    }
    for stage in &mut stages {
        stage.busy_ratio = stage.busy_ms as f64 / 1000.0 / seconds.max(0.001);
        stage.calls_per_s = stage.calls as f64 / seconds.max(0.001);
    }
    stages
}

/// The daemon's memory over the sessions, in the order in which they were held; `None` where no
/// session tells it.
#[must_use]
pub fn memory(scored: &[Scored]) -> Option<Memory> {
    let bytes: Vec<u64> = scored
        .iter()
        .map(|scored| scored.report.daemon_resident_bytes)
        .filter(|bytes| *bytes > 0)
        .collect();
    let (first, last) = (*bytes.first()?, *bytes.last()?);
    Some(Memory {
        max_bytes: bytes.iter().copied().max()?,
        first_bytes: first,
        last_bytes: last,
        growth_bytes: last.cast_signed() - first.cast_signed(),
    })
}

/// BLEU in percent of that of the offline report, for each pair that both have. Totals are comparable
/// only where both reports cover the same recordings: only such pairs are told.
#[must_use]
pub fn compare_with_offline(report: &Report, offline: &Report) -> Vec<Compared> {
    let names = |report: &Report, pair: &str| -> BTreeSet<String> {
        let of_pair = report.recordings.iter().filter(|r| {
            pair == "all" || format!("{}-{}", r.source_language, r.target_language) == pair
        });
        of_pair.map(|recording| recording.name.clone()).collect()
    };
    let compared = |totals: &Totals| {
        let other = offline
            .totals
            .iter()
            .find(|other| other.pair == totals.pair)?;
        if names(report, &totals.pair) != names(offline, &totals.pair) {
            return None;
        }
        let (bleu, offline_bleu) = (totals.quality.bleu?, other.quality.bleu?);
        Some(Compared {
            pair: totals.pair.clone(),
            bleu,
            offline_bleu,
            percent: 100.0 * bleu / offline_bleu.max(f64::MIN_POSITIVE),
        })
    };
    report.totals.iter().filter_map(compared).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(target: &str, text: &str, reference: &str, bytes: u64) -> Scored {
        Scored {
            report: RecordingReport {
                name: format!("{text}.fr-{target}"),
                source_language: "fr".to_owned(),
                target_language: target.to_owned(),
                source_ms: 2000,
                compute: vec![Stage {
                    stage: "recognise".to_owned(),
                    calls: 4,
                    busy_ms: 500,
                    waited_ms: 0,
                    busy_ratio: 0.25,
                    calls_per_s: 2.0,
                }],
                daemon_resident_bytes: bytes,
                ..RecordingReport::default()
            },
            by_clause: vec![(1000, 1)],
            text: Some((
                BleuCounts::of(text, reference),
                ChrfCounts::of(text, reference),
            )),
            ..Scored::default()
        }
    }

    #[test]
    fn scores_are_summed_by_pair_and_over_all() {
        let same = "one two three four five";
        let scored = [
            scored("en", same, same, 700),
            scored("pt", "none", "other words", 900),
        ];
        let totals = totals(&scored);
        let pairs: Vec<_> = totals
            .iter()
            .map(|t| (t.pair.as_str(), t.recordings))
            .collect();
        assert_eq!(pairs, [("fr-en", 1), ("fr-pt", 1), ("all", 2)]);
        assert!((totals[0].quality.bleu.unwrap() - 100.0).abs() < 1e-9);
        let all = &totals[2];
        assert!(all.quality.bleu.unwrap() < 100.0);
        assert_eq!(all.ear_voice_span.by_clause.as_ref().unwrap().words, 2);
        assert!((all.compute[0].busy_ratio - 0.25).abs() < 1e-9);
        let memory = memory(&scored).unwrap();
        assert_eq!((memory.max_bytes, memory.growth_bytes), (900, 200));
    }

    #[test]
    fn only_like_is_compared_with_like() {
        let same = "one two three four five";
        let report = |scored: &[Scored]| Report {
            schema: super::super::schema::SCHEMA.to_owned(),
            kind: super::super::schema::Kind::Streamed,
            label: String::new(),
            recordings: scored.iter().map(|s| s.report.clone()).collect(),
            totals: totals(scored),
            memory: None,
            offline: None,
        };
        let one = report(&[scored("en", same, same, 0)]);
        let two = report(&[scored("en", same, same, 0), scored("en", "other", same, 0)]);
        assert_eq!(compare_with_offline(&one, &two), []);
        let compared = compare_with_offline(&one, &one);
        assert!((compared[0].percent - 100.0).abs() < 1e-9);
    }
}
