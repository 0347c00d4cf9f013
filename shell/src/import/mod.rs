//! Data sets from CSV, SQLite, PostgreSQL and Supabase into the data directory.
