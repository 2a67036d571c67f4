//! A session under way and everything that takes its events.

use std::{
    io::{self, Write},
    time::Duration,
};

use interpret_proto::v1::EndReason;
use tokio::time::{MissedTickBehavior, interval};

use super::{
    Failure,
    interrupt::{Interrupt, Interrupts},
    mic::{Desk, DeskEvent, Key, Line},
};
use crate::{
    audio::Pace,
    error::ClientError,
    measure::Measure,
    output::Outputs,
    session::{Event, Link, LinkWatch, Session, Shift},
    view::{Summary, View},
};

/// How often the clock on the terminal moves.
const TICK: Duration = Duration::from_millis(250);

/// A session under way.
pub(super) struct Work {
    session: Session,
    link: LinkWatch,
    outputs: Outputs,
    measure: Measure,
    /// None if quiet, or once standard output is gone.
    view: Option<Box<dyn View>>,
    summarise: bool,
    shut_down: bool,
    /// Microphone, loudspeakers and keys; none for a file.
    desk: Option<Desk>,
    /// Where further sessions come from; none for a file.
    line: Option<Line>,
    /// Puts the session after those before it.
    shift: Shift,
    /// What will put the next one after it.
    shift_after: Shift,
    /// The person wants another session after this one.
    go_on: bool,
    finishing: bool,
}

impl Work {
    /// `view` is none where the person wants silence.
    pub(super) fn new(
        session: Session,
        outputs: Outputs,
        pace: Pace,
        view: Option<Box<dyn View>>,
    ) -> Self {
        Self {
            link: session.link(),
            session,
            outputs,
            measure: Measure::new(pace),
            summarise: view.is_some(),
            view,
            shut_down: false,
            desk: None,
            line: None,
            shift: Shift::default(),
            shift_after: Shift::default(),
            go_on: false,
            finishing: false,
        }
    }

    /// The work is done at a desk with a microphone, through this line.
    pub(super) fn at(mut self, desk: Desk, line: Line) -> Self {
        self.desk = Some(desk);
        self.line = Some(line);
        self
    }

    /// Takes events until the session ends, breaks, or the person gives up on it; then completes
    /// everything and gathers what went wrong.
    pub(super) async fn run(mut self, interrupts: &mut Interrupts) -> Result<(), Failure> {
        let outcome = self.drive(interrupts).await;
        // From here on Ctrl-C is a signal again, also where a full screen took the keys.
        let closed = self.show(|view| view.close());
        if outcome.is_ok()
            && let Some(desk) = &self.desk
        {
            // The last words are still being spoken.
            tokio::select! {
                () = desk.drain() => {}
                _ = interrupts.give_up() => {}
            }
        }
        // At a microphone Ctrl-C is how one ends; at a file it cuts the work short.
        let interrupted = match self.desk {
            Some(_) => interrupts.gave_up(),
            None => interrupts.any(),
        };
        match Failure::first_of(self.complete(outcome, closed, interrupted).await) {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    async fn drive(&mut self, interrupts: &mut Interrupts) -> Result<(), ClientError> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                received = self.session.next() => {
                    let mut received = match received {
                        Ok(Some(received)) => received,
                        Ok(None) if self.go_on && !self.finishing => {
                            self.next_session(interrupts, None).await?;
                            continue;
                        }
                        Ok(None) => return Ok(()),
                        Err(error) if error.is_connection_loss() && self.can_come_back() => {
                            self.next_session(interrupts, Some(error)).await?;
                            continue;
                        }
                        Err(error) => return Err(error),
                    };
                    let shift = self.shift;
                    shift.apply(&mut received);
                    self.shift_after.count(&received);
                    for error in self.outputs.write(&received) {
                        tracing::warn!(%error, "an output failed; the others go on");
                    }
                    self.measure.take(&received);
                    if let Some(desk) = &mut self.desk {
                        desk.take(&received);
                    }
                    self.show(|view| view.show(&received))?;
                    if let Event::SessionEnded(ended) = &received.event {
                        self.shut_down = ended.reason() == EndReason::Shutdown;
                    }
                }
                interrupt = interrupts.next() => match interrupt {
                    Interrupt::Finish => self.finish()?,
                    Interrupt::GiveUp => return Ok(()),
                },
                link = self.link.changed() => self.show(|view| view.note(&link_note(&link)))?,
                event = next_of(&mut self.desk) => match event {
                    DeskEvent::Key(Key::Quit) => match interrupts.ask() {
                        Interrupt::Finish => self.finish()?,
                        Interrupt::GiveUp => return Ok(()),
                    },
                    DeskEvent::Key(key @ (Key::Mode | Key::Target)) => self.change(key)?,
                    DeskEvent::Key(key) => {
                        let note = self.desk.as_mut().and_then(|desk| desk.press(key));
                        if let Some(note) = note {
                            self.show(|view| view.note(&note))?;
                        }
                        self.show_desk()?;
                    }
                    DeskEvent::Note(note) => self.show(|view| view.note(&note))?,
                },
                _ = ticks.tick() => {
                    self.show_desk()?;
                    let (now, sent) = (self.session.now_ms(), self.session.sent_ms());
                    let now = now.saturating_add(self.shift.wall_ms);
                    self.show(|view| view.tick(now, sent))?;
                }
            }
        }
    }

    fn can_come_back(&self) -> bool {
        !self.finishing && self.line.as_ref().is_some_and(Line::can_come_back)
    }

    /// Ends the session so that another with another mode or target takes over: what was heard is
    /// finished, what is said meanwhile waits.
    fn change(&mut self, key: Key) -> Result<(), ClientError> {
        let Some(line) = &mut self.line else {
            return Ok(());
        };
        let note = match key {
            Key::Mode => Some(line.next_mode()),
            _ => line.next_target(),
        };
        match note {
            Some(note) => {
                self.go_on = true;
                self.session.finish();
                self.show(|view| view.note(&note))
            }
            None => self.show(|view| view.note("there is no other language to choose")),
        }
    }

    /// Takes up the work in another session: because the person wants another mode or target, or
    /// because the connection was lost.
    async fn next_session(
        &mut self,
        interrupts: &mut Interrupts,
        lost: Option<ClientError>,
    ) -> Result<(), ClientError> {
        if let Some(error) = &lost {
            let note = format!("the session is lost ({error}); trying for another for 30 s");
            self.show(|view| view.note(&note))?;
        }
        let lost = lost.is_some();
        // Its sender takes nothing more from the microphone: that is for the next one.
        self.session.finish();
        self.go_on = false;
        let mut shift = self.shift_after;
        let Some(line) = &mut self.line else {
            return Ok(());
        };
        let session = tokio::select! {
            session = async {
                match lost {
                    false => line.open(&mut shift).await,
                    true => line.reopen(&mut shift).await,
                }
            } => session?,
            _ = interrupts.next() => return Err(ClientError::Interrupted),
        };
        self.shift = shift;
        self.shift_after = shift;
        self.link = session.link();
        self.session = session;
        if lost {
            let note =
                "connected again, in another session; what was said just before may be missing";
            self.show(|view| view.note(note))?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), ClientError> {
        self.finishing = true;
        match &self.desk {
            Some(desk) => desk.finish(),
            None => self.session.finish(),
        }
        self.show(|view| view.note("finishing; Ctrl-C again stops at once"))
    }

    fn show_desk(&mut self) -> Result<(), ClientError> {
        let Some(status) = self.desk.as_ref().map(Desk::status) else {
            return Ok(());
        };
        self.show(|view| view.desk(&status))
    }

    /// Draws; a reader of standard output that went away ends the drawing, not the work.
    fn show(
        &mut self,
        draw: impl FnOnce(&mut dyn View) -> io::Result<()>,
    ) -> Result<(), ClientError> {
        let Some(view) = &mut self.view else {
            return Ok(());
        };
        match draw(view.as_mut()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.view = None;
                Ok(())
            }
            outcome => outcome.map_err(ClientError::Stdout),
        }
    }

    /// Completes the files, prints the summary, and gathers what went wrong, gravest first.
    async fn complete(
        mut self,
        outcome: Result<(), ClientError>,
        closed: Result<(), ClientError>,
        interrupted: bool,
    ) -> Vec<Failure> {
        let devices = self.desk.take().map(Desk::close);
        let sent = self.session.close().await;
        let written = self.outputs.finish();
        if self.summarise {
            let summary = Summary {
                measure: &self.measure,
                devices: devices.as_ref(),
                files: &written.files,
            };
            // Nobody is left to tell if standard error is gone.
            let _ = write!(io::stderr().lock(), "\n{summary}");
        }
        let mut errors: Vec<ClientError> = outcome.err().into_iter().collect();
        if interrupted {
            errors.push(ClientError::Interrupted);
        } else if self.shut_down {
            errors.push(ClientError::ShutDown);
        }
        errors.extend(written.failed);
        errors.extend(sent.error.map(ClientError::from));
        errors.extend(closed.err());
        errors.into_iter().map(Failure::from).collect()
    }
}

fn link_note(link: &Link) -> String {
    match link {
        Link::Up => "connected again; nothing is lost".to_owned(),
        Link::Lost(why) => {
            format!("the connection is lost ({why}); what is said waits for another, for 30 s")
        }
    }
}

/// What the desk has to say; nothing, for ever, where there is none.
async fn next_of(desk: &mut Option<Desk>) -> DeskEvent {
    match desk {
        Some(desk) => desk.next().await,
        None => std::future::pending().await,
    }
}
