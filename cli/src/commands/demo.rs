//! being written
use crate::args::Demo;
use crate::fault::Fault;
use crate::screen::Screen;

pub(super) fn run(_args: &Demo, _screen: &Screen) -> Result<u8, Fault> {
    Ok(0)
}
