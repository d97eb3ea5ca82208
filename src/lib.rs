//! tintype makes social images beside the database: a row is written, and moments later it holds the URL of its picture.
//!
//! The modules below stand in the order in which one changed row travels through them. Read them once from top to bottom,
//! or start at [`executor`], which takes one job through stages 4 to 7. `docs/ARCHITECTURE.md` tells the same road in prose.
//!
//! Imports go down only: commands and the worker know the queue, the queue knows the database, and [`markdown`], [`post`] and
//! [`card`] know none of them: text in, pixels out.

// 1. A watched table, and what is installed for it.
pub mod install;
pub mod migration;
pub mod roles;
pub mod source;
// 2. A change is heard, and becomes a claimed job.
pub mod listener;
pub mod queue;
pub mod scan;
pub mod sleep;
pub mod watermark;
// 3. A free slot takes a job.
pub mod executor;
pub mod failure;
pub mod lease;
pub mod worker;
// 4. A row becomes a post.
pub mod markdown;
pub mod post;
// 5. A post becomes a picture.
pub mod card;
pub mod courtesy;
pub mod drawing;
pub mod page;
pub mod picture;
pub mod studio;
// 5b. A page becomes a picture, in a browser that reaches nothing inside.
pub mod capture;
// 6. A picture becomes an object with a URL.
pub mod storage;
// 7. The URL goes into the row, and the job is done.
pub mod ledger;
pub mod publish;

// What a worker shows of itself, and to whom.
pub mod http;
pub mod trace;
pub mod vitals;

// What keeps the queue honest besides its jobs.
pub mod maintenance;
pub mod prune;
// What is wrong with a set-up.
pub mod doctor;
// Where the fault suite lets a worker die.
pub mod failpoint;

// What all of them stand on.
pub mod cli;
pub mod commands;
pub mod config;
pub mod db;
pub mod error;
pub mod scratch;
mod trust;
mod user;
mod web;
