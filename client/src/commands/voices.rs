//! `interpret voices`: the voices that are ready.

use interpret_models::Language;
use interpret_proto::v1::{Gender, ListVoicesRequest};

use super::{
    ServerArgs,
    languages::named,
    table::{print_json, print_table},
};
use crate::{connect::connect, error::ClientError};

/// Arguments of `interpret voices`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only voices of this language.
    language: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Lists the voices.
///
/// # Errors
///
/// Where the language is unknown, the daemon cannot be asked, or standard output not written.
pub async fn run(args: Args) -> Result<(), ClientError> {
    let language = match &args.language {
        Some(code) => code.parse::<Language>()?.to_string(),
        None => String::new(),
    };
    let connection = connect(&args.server.endpoint()?).await?;
    let reply = connection
        .interpreter()
        .list_voices(ListVoicesRequest { language })
        .await?
        .into_inner();
    if args.json {
        return print_json(&reply);
    }
    let rows: Vec<[String; 5]> = reply
        .voices
        .into_iter()
        .map(|voice| {
            let gender = match voice.gender() {
                Gender::Female => "female",
                Gender::Male => "male",
                Gender::Unspecified => "",
            };
            let default = if voice.is_default { "default" } else { "" };
            [
                voice.name,
                named(&voice.language),
                voice.region,
                gender.to_owned(),
                default.to_owned(),
            ]
        })
        .collect();
    print_table(["NAME", "LANGUAGE", "REGION", "GENDER", ""], &rows)
}
