//! Tables: arranging them, what their status may become, clearing them, and lists of them.

mod arranging;
mod lists;
mod status;
