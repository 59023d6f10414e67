/// What `muster init` writes: a manifest that runs as it is, on SQLite, without a server.
package enum StarterProject {
    package struct File: Sendable, Hashable {
        /// Relative to the folder that is set up.
        package var path: String
        package var contents: String
    }

    /// Folders that must exist, empty or not.
    package static let folders = ["tenants", "sql"]

    package static let files = [
        File(path: "muster.json5", contents: manifest),
        File(path: "sql/001_notes.sql", contents: script),
        File(path: "muster.schema.json", contents: ManifestSchema.text),
    ]

    private static let manifest = #"""
        // What a deploy does to every tenant. Try it:
        //
        //   muster validate    reads this file and every script
        //   muster plan        shows what would run, and writes nothing
        //   muster apply       does it, once per tenant
        //   muster status      shows what is done
        //
        // Put SQLite files into tenants/ first, for example: sqlite3 tenants/acme.db 'VACUUM'
        {
          $schema: "./muster.schema.json",
          manifest: 1,

          // Where Muster remembers what is done. With a server: set DATABASE_URL to postgres://USER@HOST/DATABASE.
          ledger: { url: "${DATABASE_URL:-sqlite:.muster/ledger.db}" },

          // Each file is a tenant, named like the file. Other sources are list, query and command:
          //   query: "SELECT slug AS id, schema_name AS schema FROM public.tenants ORDER BY slug",
          //   target: { schema: "{schema}" },
          tenants: { files: "tenants/*.db" },

          // Without `phase` a runbook belongs to the first one: "pre-deploy". "post-deploy" comes second.
          runbooks: [
            {
              id: "notes-table",
              title: "A table for notes",
              sql: "sql/001_notes.sql",
            },
            // {
            //   id: "notes-backfill",
            //   phase: "post-deploy",
            //   after: ["notes-table"],
            //   sql: "sql/002_backfill.sql",
            //   verify: "sql/002_verify.sql",       // one query that answers true when all is well
            // },
          ],
        }

        """#

    private static let script = """
        CREATE TABLE notes (
          id INTEGER PRIMARY KEY,
          body TEXT NOT NULL,
          created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
        );

        """
}
