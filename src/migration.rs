//! The printed migration: the same SQL, in the wrapping that a framework's migration tool expects.

/// Whose migration tool it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// SQL, with the way back in comments.
    Plain,
    /// A module for Ecto.
    Ecto,
    /// A class for Active Record.
    Rails,
    /// A module for Django.
    Django,
    /// `migration.sql` for Prisma, which knows no way back.
    Prisma,
    /// SQL for sqlx: the way up, then the way down.
    Sqlx,
    /// A file for dbmate.
    Dbmate,
}

/// Wraps the way up and the way down.
pub fn wrap(format: Format, up: &str, down: &str) -> String {
    match format {
        Format::Plain => format!("BEGIN;\n{up}COMMIT;\n\n-- The way back:\n{}", commented(down)),
        Format::Prisma => up.to_owned(),
        Format::Sqlx => format!("-- ..._tintype.up.sql\n{up}\n-- ..._tintype.down.sql\n{down}"),
        Format::Dbmate => format!("-- migrate:up\n{up}\n-- migrate:down\n{down}"),
        Format::Ecto => format!(
            "defmodule MyApp.Repo.Migrations.InstallTintype do\n  use Ecto.Migration\n\n  \
             # Postgrex takes one statement at a time: this is one, which runs the text within it.\n  \
             def up do\n    execute(~S\"\"\"\n{}    \"\"\")\n  end\n\n  \
             def down do\n    execute(~S\"\"\"\n{}    \"\"\")\n  end\nend\n",
            indented(&one_statement(up), "    "),
            indented(&one_statement(down), "    ")
        ),
        Format::Rails => format!(
            "class InstallTintype < ActiveRecord::Migration[7.1]\n  def up\n    execute <<~'SQL'\n{}    SQL\n  end\n\n  \
             def down\n    execute <<~'SQL'\n{}    SQL\n  end\nend\n",
            indented(up, "      "),
            indented(down, "      ")
        ),
        Format::Django => format!(
            "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    dependencies = []\n    \
             operations = [\n        migrations.RunSQL(\n            sql=[(r\"\"\"\n{up}\"\"\", None)],\n            \
             reverse_sql=[(r\"\"\"\n{down}\"\"\", None)],\n        )\n    ]\n"
        ),
    }
}

/// A script as one statement.
fn one_statement(sql: &str) -> String {
    format!("DO $ecto$ BEGIN EXECUTE $tintype$\n{sql}$tintype$; END $ecto$\n")
}

fn commented(sql: &str) -> String {
    indented(sql, "-- ")
}

fn indented(sql: &str, with: &str) -> String {
    sql.lines().map(|line| format!("{}\n", format_args!("{with}{line}")).replace(&format!("{with}\n"), "\n")).collect()
}
