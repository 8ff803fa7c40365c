//! The real programs that hosts run from beginning to end.

use smoltcp::time::Duration;

use super::PlayError;
use crate::host::ProgramPlan;
use crate::scenario::language::{Program, RunStep};
use crate::scenario::stage::Stage;
use crate::world::{Activity, Backend};

/// How long a program may take until it listens; interpreters on a busy machine take seconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// From one look whether it listens to the next: the kernel tells nobody.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// What a program that runs all the time may write, in bytes.
const OUTPUT_LIMIT: usize = 16 << 20;

impl<B: Backend> Stage<'_, B> {
    /// Starts all hosts' programs, and waits for those that are to listen.
    pub(crate) fn start_programs(&mut self) -> Result<(), PlayError<B::Error>> {
        for (name, spec) in &self.scenario.host {
            let Some(id) = self.host(name).map(|host| host.id) else { continue };
            for program in &spec.program {
                let now = self.world.now();
                let Some(host) = self.world.host(id) else { continue };
                let activity = host
                    .run(now, &lasting(program))
                    .map_err(|source| PlayError::Start { host: name.clone(), source })?;
                if let Some(port) = program.listens {
                    self.await_listening(name, (id, activity), program, port)?;
                }
            }
        }
        Ok(())
    }

    fn await_listening(
        &mut self,
        name: &str,
        (host, activity): Activity,
        program: &Program,
        port: u16,
    ) -> Result<(), PlayError<B::Error>> {
        let deadline = self.world.now() + PATIENCE;
        let command = program.command.get_ref();
        loop {
            let next = self.world.now() + LOOK_EVERY;
            self.world.run(next, |world| world.is_finished((host, activity)));
            let Some(here) = self.world.host(host) else { return Ok(()) };
            if let Some(end) = here.program_end(activity) {
                return Err(PlayError::ended(name, command, port, end));
            }
            if here.is_listened_on(port) {
                return Ok(());
            }
            if self.world.now() >= deadline {
                let (host, command) = (name.to_owned(), command.join(" "));
                return Err(PlayError::Silent { host, command, port, patience: PATIENCE });
            }
        }
    }
}

/// What a host runs from beginning to end.
fn lasting(program: &Program) -> ProgramPlan {
    ProgramPlan {
        command: program.command.get_ref().clone(),
        environment: program.environment.clone(),
        files: program.files.clone(),
        time_limit: None,
        output_limit: OUTPUT_LIMIT,
    }
}

/// What a `run` step runs.
pub(super) fn plan(step: &RunStep) -> ProgramPlan {
    ProgramPlan {
        command: step.command.clone(),
        environment: step.environment.clone(),
        files: step.files.clone(),
        time_limit: Some(step.time_limit.into()),
        output_limit: step.output_limit,
    }
}
