//! Names of the metrics, and what they count. docs/metrics.md is the same for people.

use metrics::{describe_counter, describe_gauge, describe_histogram};

pub(super) const SESSIONS: &str = "interpretd_sessions";
pub(super) const RESIDENT: &str = "interpretd_resident_bytes";
pub(super) const ENDED: &str = "interpretd_sessions_ended_total";
pub(super) const REFUSED: &str = "interpretd_sessions_refused_total";
pub(super) const WORDS: &str = "interpretd_words_total";
pub(super) const LAG: &str = "interpretd_speech_lag_seconds";
pub(super) const PACE: &str = "interpretd_pace_changes_total";
pub(super) const STEP: &str = "interpretd_recognition_step_seconds";
pub(super) const NOTICES: &str = "interpretd_notices_total";
pub(super) const DROPPED: &str = "interpretd_dropped_milliseconds_total";
pub(super) const RUN: &str = "interpretd_engine_run_seconds";
pub(super) const BATCH: &str = "interpretd_translation_batch_sentences";
pub(super) const TERMS: &str = "interpretd_glossary_terms_total";
pub(super) const LISTENERS: &str = "interpretd_room_listeners";
pub(super) const LISTENERS_LOST: &str = "interpretd_room_audio_lost_milliseconds_total";
pub(super) const QUEUE: &str = "interpretd_engine_queue";
pub(super) const WAIT: &str = "interpretd_engine_wait_seconds";

pub(super) fn describe() {
    describe_gauge!(SESSIONS, "Sessions that run now.");
    describe_gauge!(RESIDENT, "Memory that the daemon holds now, in bytes.");
    describe_counter!(ENDED, "Sessions that ended, by gRPC code.");
    describe_counter!(REFUSED, "Sessions that were refused, by reason.");
    describe_counter!(
        WORDS,
        "Words committed by recognition (stage \"source\") and translation (\"translated\"), spoken \
         (\"spoken\"), left out by the voice (\"skipped\"), and in calls left out because the other side \
         spoke (\"interrupted\")."
    );
    describe_histogram!(
        LAG,
        "From the end of what was said until its translated audio is sent, by target language."
    );
    describe_counter!(
        PACE,
        "Actions of the lag governor, by stage and by the manner it went over to."
    );
    describe_histogram!(STEP, "Sound between two recognition runs, at each change.");
    describe_counter!(NOTICES, "Notices sent to clients, by kind.");
    describe_counter!(
        DROPPED,
        "Source that is not recognised or whose translation is not spoken, in milliseconds, by stage and reason."
    );
    describe_gauge!(LISTENERS, "Listeners of rooms.");
    describe_counter!(
        LISTENERS_LOST,
        "Audio that listeners of rooms lost because they read too slowly, in milliseconds."
    );
    describe_histogram!(RUN, "Time of one model run, by engine.");
    describe_histogram!(
        BATCH,
        "Sentences translated together, at each run of a translation model."
    );
    describe_counter!(
        TERMS,
        "Terms of glossaries in complete sentences, by outcome: honoured or missed."
    );
    describe_gauge!(
        QUEUE,
        "Model runs that are asked for and not answered, the one under way too, by engine."
    );
    describe_histogram!(
        WAIT,
        "Time that a model run waited for its engine, by engine."
    );
}
