//! `interpretd`: the interpreting daemon.

mod flags;

use std::process::ExitCode;

use clap::Parser as _;
use interpretd::{Daemon, admin, config, exit::Failure, service, telemetry};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let flags = flags::Flags::parse();
    match run(&flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            #[expect(clippy::print_stderr, reason = "the log may not be set up")]
            {
                eprintln!("interpretd: error: {failure}");
            }
            failure.code()
        }
    }
}

fn run(flags: &flags::Flags) -> Result<(), Failure> {
    let config = config::load(flags.config.as_deref(), flags.layer())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    // Sends the last traces when it goes, for which it needs the runtime.
    let _entered = runtime.enter();
    let _traces = telemetry::start(&config.log, &config.traces)?;
    runtime.block_on(serve(config))
}

/// Serves until SIGTERM or SIGINT; a second one ends at once.
async fn serve(config: config::Config) -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut listeners = service::bind(&config.listen).await?;
    let socket = config.listen.unix.clone();
    let daemon = Daemon::secured(config)?;
    if let Some(address) = listeners.tcp_address() {
        tracing::info!(%address, "listening");
    }
    if let Some(path) = socket {
        tracing::info!(path = %path.display(), "listening");
    }
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn({
        let daemon = daemon.clone();
        async move {
            while hangup.recv().await.is_some() {
                daemon.reload();
            }
        }
    });
    if let Some(listener) = listeners.admin.take() {
        let metrics = admin::Metrics::start()?;
        tracing::info!(admin = %listener.local_addr()?, "listening");
        let daemon = daemon.clone();
        tokio::spawn(async move {
            if let Err(error) = admin::serve(listener, daemon, metrics).await {
                tracing::error!(%error, "the admin port failed");
            }
        });
    }
    let serving = tokio::spawn({
        let daemon = daemon.clone();
        async move { daemon.serve(listeners).await }
    });
    // The health service answers NOT_SERVING meanwhile.
    tokio::select! {
        loaded = daemon.load_models() => loaded?,
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    }
    tracing::info!("ready");
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: draining"),
        _ = interrupt.recv() => tracing::info!("SIGINT: draining"),
    }
    tokio::select! {
        () = daemon.drain() => {}
        _ = terminate.recv() => daemon.stop(),
        _ = interrupt.recv() => daemon.stop(),
    }
    match serving.await {
        Ok(served) => Ok(served?),
        Err(error) => Err(std::io::Error::other(error).into()),
    }
}
