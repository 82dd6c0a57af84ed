//! Writes what nodes send, by decoder, into a folder: a fuzzer that begins with it need not guess what a frame looks like.

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.ok_or_else(|| io::Error::other("say into which folder the samples are to be written"))?;
    for decoder in casty_tests::cabinet::decoders() {
        let folder = folder.join(decoder.name);
        fs::create_dir_all(&folder)?;
        for (number, sample) in (decoder.samples)().into_iter().enumerate() {
            fs::write(folder.join(format!("sample-{number}")), sample)?;
        }
    }
    Ok(())
}
