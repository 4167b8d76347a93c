-- An address as it is compared. The program makes it, by its own rules and not by those of the
-- cluster's locale, also for accounts that were there before; until then it is null, and so it stays
-- where the address is none by those rules, or is one that an older account has.
ALTER TABLE users ADD COLUMN email_key text;
