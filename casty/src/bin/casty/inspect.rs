//! `casty inspect`: what a node has stored.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

/// The node must not run. All of its file is read, so that whatever is damaged is found.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// The folder of a node, a file that it has given up, or a backup
    path: PathBuf,
    /// List the entities of this group, as its last snapshot has them
    #[arg(long)]
    entities: Option<u16>,
}

/// Fails if the file cannot be read.
pub(crate) fn run(options: &Options) -> ExitCode {
    match casty::inspect(&options.path) {
        Ok(inspection) => {
            print!("{inspection}");
            let listed = inspection.groups.iter().filter(|group| Some(group.group.0) == options.entities);
            listed.flat_map(|group| &group.entities).for_each(|entity| println!("    {entity}"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
