//! What the examples' actors send, answer and store: a change of it shows in review.

#![cfg(test)]

use casty::contract::{Contract, ContractError, check};
use casty_examples as _;

#[test]
fn the_contract_is_what_its_file_says() -> Result<(), ContractError> {
    check("casty.contract")
}

#[test]
fn the_contract_has_what_the_program_links() {
    let contract = Contract::of_this_program().unwrap().to_string();
    assert!(contract.contains("actor casty_examples::flights::aircraft::Aircraft"), "{contract}");
    assert!(contract.contains("    field totals "), "{contract}");
}
