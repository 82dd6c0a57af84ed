//! A value that is written whole.

use crate::prelude::*;

#[message]
pub(in crate::testkit::workload) struct Read {
    pub(in crate::testkit::workload) ask: u64,
}

#[message]
pub(in crate::testkit::workload) struct Write {
    pub(in crate::testkit::workload) ask: u64,
    pub(in crate::testkit::workload) value: u64,
}

#[message]
pub(in crate::testkit::workload) struct CompareAndSet {
    pub(in crate::testkit::workload) ask: u64,
    pub(in crate::testkit::workload) expected: u64,
    pub(in crate::testkit::workload) new: u64,
}

#[persistent]
pub(in crate::testkit::workload) struct Register {
    value: u64,
}

#[actor(name = "casty.testkit.Register")]
impl Register {
    fn new(_: EntityId) -> Self {
        Self { value: 0 }
    }

    #[handler]
    fn read(&self, msg: Read) -> (u64, u64) {
        (msg.ask, self.value)
    }

    #[handler]
    fn write(&mut self, msg: Write) -> u64 {
        self.value = msg.value;
        msg.ask
    }

    #[handler]
    fn compare_and_set(&mut self, msg: CompareAndSet) -> (u64, bool) {
        let same = self.value == msg.expected;
        if same {
            self.value = msg.new;
        }
        (msg.ask, same)
    }
}
