//! Models of common objects.

mod append_list;
mod counter;
mod register;

pub use append_list::{AppendList, AppendListInput, AppendListOutput};
pub use counter::{Counter, CounterInput};
pub use register::{Register, RegisterInput, RegisterOutput};
