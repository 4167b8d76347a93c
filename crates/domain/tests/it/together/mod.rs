//! Several changes in one transaction.

mod many;
