//! `interpret languages`: the pairs that are ready.

use interpret_models::Language;
use interpret_proto::v1::ListLanguagesRequest;

use super::{
    ServerArgs,
    table::{print_json, print_table},
};
use crate::{connect::connect, error::ClientError};

/// Arguments of `interpret languages`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Lists the pairs.
///
/// # Errors
///
/// Where the daemon cannot be asked, or standard output not written.
pub async fn run(args: Args) -> Result<(), ClientError> {
    let connection = connect(&args.server.endpoint()?).await?;
    let reply = connection
        .interpreter()
        .list_languages(ListLanguagesRequest {})
        .await?
        .into_inner();
    if args.json {
        return print_json(&reply);
    }
    let rows: Vec<[String; 4]> = reply
        .pairs
        .into_iter()
        .map(|pair| {
            let speech = if pair.speech { "yes" } else { "captions only" };
            [
                named(&pair.source),
                named(&pair.target),
                speech.to_owned(),
                pair.model,
            ]
        })
        .collect();
    print_table(["FROM", "TO", "SPEECH", "MODEL"], &rows)
}

/// "fr French"; the code alone where it is not known here.
pub(super) fn named(code: &str) -> String {
    match code.parse::<Language>() {
        Ok(language) => format!("{code} {}", language.name()),
        Err(_) => code.to_owned(),
    }
}
