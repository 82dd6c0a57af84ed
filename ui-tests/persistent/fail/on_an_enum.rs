use casty::persistent;

#[persistent]
enum Door {
    Open,
    Shut,
}

fn main() {}
