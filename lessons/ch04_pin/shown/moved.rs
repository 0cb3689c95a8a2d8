//! A struct that keeps the address of its own field, before and after a move. The address is only printed and compared.

struct Note {
    number: u64,
    /// Where `number` was when this was written down.
    kept: *const u64,
}

impl Note {
    fn write_down(&mut self) {
        self.kept = &raw const self.number;
    }

    fn report(&self, when: &str) {
        println!("{when}: the number {} is at {:p}", self.number, &raw const self.number);
        println!("{when}: the kept address is {:p}", self.kept);
        println!("{when}: points at its own number: {}", self.kept == &raw const self.number);
    }
}

fn main() {
    let mut note = Note { number: 7, kept: std::ptr::null() };
    note.write_down();
    note.report("before the move");
    let note = Box::new(note);
    note.report("after the move");
}
