//! `casty recover`: a cluster made anew.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

/// Of each group the longest log counts. If a majority of its replicas is among the folders, that is all that was ever
/// answered; if not, the end may be missing, which is said. The folders stay as they are. The nodes that had them must not
/// run on: give them empty folders, and they join the node of the new one.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// The folders of nodes that do not run, files that they have given up, or backups
    #[arg(required = true)]
    from: Vec<PathBuf>,
    /// The folder of the one node that the new cluster has; it takes the name of one of the nodes
    #[arg(long)]
    into: PathBuf,
}

/// Fails if nothing could be made. What may be lost is no failure: it is told.
pub(crate) fn run(options: &Options) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("there is no runtime: {error}");
            return ExitCode::from(2);
        }
    };
    match runtime.block_on(casty::recover(options.from.clone(), &options.into)) {
        Ok(recovery) => {
            print!("{recovery}");
            println!(
                "start {} with the folder {}; give all other nodes empty folders",
                recovery.node,
                options.into.display()
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
