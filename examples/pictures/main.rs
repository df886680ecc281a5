//! Draws the pictures of the README anew, from the program's own view: `cargo run --example pictures`.
//! Run twice it changes nothing, so a difference is a difference of the screens.
use std::error::Error;
use std::io::Write as _;
use std::path::Path;

/// What the pictures show.
mod scenes;
/// From a screen to SVG.
mod svg;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(scenes::FOLDER);
    std::fs::create_dir_all(&folder)?;
    for picture in scenes::all().await? {
        std::fs::write(folder.join(picture.file), &picture.svg)?;
        writeln!(std::io::stderr(), "{}/{}: {} bytes", scenes::FOLDER, picture.file, picture.svg.len())?;
    }
    Ok(())
}
