/// The JSON Schema of the manifest, as `muster schema` prints it.
package enum ManifestSchema {
    /// The same text as `manifests/muster.schema.json`; recorded from it by the tests (`MUSTER_RECORD=1`).
    package static let text = fields + definitions

    private static let fields = #"""
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "title": "Muster manifest",
          "description": "Which runbooks a deploy runs, in which order, on which tenants. In every text ${NAME} and ${NAME:-default} stand for environment variables, $${ for the characters ${ themselves. Paths are relative to the manifest.",
          "type": "object",
          "required": ["manifest", "tenants", "runbooks"],
          "additionalProperties": false,
          "properties": {
            "$schema": {
              "description": "Where this schema is, for editors.",
              "type": "string", "minLength": 1
            },
            "manifest": {
              "description": "The version of this format: 1.",
              "anyOf": [{ "const": 1 }, { "$ref": "#/$defs/variable" }]
            },
            "workspace": {
              "description": "The owner of the tenants and of their part of the ledger; \"default\" unless named.",
              "$ref": "#/$defs/name"
            },
            "ledger": {
              "description": "Where Muster remembers what is done.",
              "type": "object",
              "additionalProperties": false,
              "properties": {
                "url": {
                  "description": "postgres://USER@HOST:PORT/DATABASE or sqlite:PATH. Left out, DATABASE_URL is taken.",
                  "$ref": "#/$defs/address"
                },
                "direct_url": {
                  "description": "The same PostgreSQL database around its pooler, for work that needs a session. Left out, DIRECT_URL is taken.",
                  "$ref": "#/$defs/postgresAddress"
                },
                "schema": {
                  "description": "PostgreSQL: the schema of the ledger's tables; \"muster\" unless named.",
                  "$ref": "#/$defs/schemaName"
                },
                "retention": {
                  "description": "How long the history of finished runs is kept, a day at least; \"90d\" unless given.",
                  "$ref": "#/$defs/duration"
                },
                "pooler": { "$ref": "#/$defs/pooler" }
              }
            },
            "tenants": {
              "description": "Where tenants come from: one of list, query, files, command; and what stands for each of them.",
              "type": "object",
              "additionalProperties": false,
              "oneOf": [
                { "required": ["list"] },
                { "required": ["query"] },
                { "required": ["files"] },
                { "required": ["command"] }
              ],
              "dependentRequired": { "url": ["query"] },
              "properties": {
                "list": {
                  "description": "The tenants themselves: ids, or objects with id, url, schema and any labels.",
                  "type": "array",
                  "items": { "anyOf": [{ "$ref": "#/$defs/line" }, { "$ref": "#/$defs/tenant" }] }
                },
                "query": {
                  "description": "One query that answers a row per tenant: the column id is required, url and schema are known, every other column is a label.",
                  "type": "string", "minLength": 1
                },
                "url": {
                  "description": "The database that the query is asked in; the ledger's unless given.",
                  "$ref": "#/$defs/address"
                },
                "files": {
                  "description": "A pattern such as tenants/*.db: each matching SQLite file is a tenant, its id the file's name without the ending.",
                  "$ref": "#/$defs/line"
                },
                "command": {
                  "description": "A program and its arguments. It prints one JSON object a line, with the fields of a tenant.",
                  "$ref": "#/$defs/arguments"
                },
                "target": {
                  "description": "What a tenant's scripts run against. {id}, {schema} and every other column may stand in it.",
                  "type": "object",
                  "additionalProperties": false,
                  "properties": {
                    "url": {
                      "description": "The tenant's database; columns are percent-encoded. Left out: the tenant's own url, else the ledger's.",
                      "$ref": "#/$defs/addressTemplate"
                    },
                    "direct_url": {
                      "description": "The same PostgreSQL database around its pooler.",
                      "$ref": "#/$defs/addressTemplate"
                    },
                    "schema": {
                      "description": "PostgreSQL: the tenant's schema. Left out: the tenant's own column schema, if it has one.",
                      "$ref": "#/$defs/schemaName"
                    },
                    "role": {
                      "description": "PostgreSQL: the role that scripts run as (SET LOCAL ROLE).",
                      "$ref": "#/$defs/line"
                    },
                    "pooler": { "$ref": "#/$defs/pooler" }
                  }
                },
                "search_path": {
                  "description": "PostgreSQL: schemas in order. Left out: the tenant's schema alone.",
                  "type": "array", "minItems": 1,
                  "items": { "$ref": "#/$defs/schemaName" }
                },
                "settings": {
                  "description": "Settings for each script, such as \"app.tenant_id\": \"{id}\", for row-level security.",
                  "type": "object",
                  "propertyNames": {
                    "pattern": "^[A-Za-z_][A-Za-z0-9_$]*([.][A-Za-z_][A-Za-z0-9_$]*)+$",
                    "not": { "pattern": "^[Mm][Uu][Ss][Tt][Ee][Rr][.]" }
                  },
                  "additionalProperties": { "$ref": "#/$defs/line" }
                },
                "isolation": {
                  "description": "With settings: row_security refuses a role that bypasses it; script trusts the scripts to filter themselves.",
                  "anyOf": [{ "enum": ["row_security", "script"] }, { "$ref": "#/$defs/variable" }]
                },
                "synchronous": {
                  "description": "SQLite files: full waits until a commit is on the disk; normal does not, and a loss of power may take the last commits with their receipts.",
                  "anyOf": [{ "enum": ["full", "normal"] }, { "$ref": "#/$defs/variable" }]
                },
                "expect": {
                  "description": "When a set of tenants is too small to be true.",
                  "type": "object",
                  "additionalProperties": false,
                  "properties": {
                    "min": {
                      "description": "The fewest tenants.",
                      "anyOf": [{ "type": "integer", "minimum": 0, "maximum": 2147483647 }, { "$ref": "#/$defs/variable" }]
                    },
                    "shrink": {
                      "description": "How many tenants fewer than last time are accepted: a number, or a share such as \"10%\".",
                      "$ref": "#/$defs/allowance"
                    }
                  }
                }
              }
            },
            "defaults": {
              "description": "For every runbook that does not say otherwise.",
              "type": "object",
              "additionalProperties": false,
              "properties": {
                "lock_wait": { "$ref": "#/$defs/lockWait" },
                "lock_timeout": { "$ref": "#/$defs/lockTimeout" },
                "statement_timeout": { "$ref": "#/$defs/statementTimeout" },
                "runbook_timeout": { "$ref": "#/$defs/runbookTimeout" },
                "retries": { "$ref": "#/$defs/retries" },
                "fuse": {
                  "description": "Whether a tenant's transactional runbooks of one stage are one transaction, all or nothing.",
                  "$ref": "#/$defs/switch"
                }
              }
            },
            "concurrency": {
              "description": "How much may be under way at once.",
              "type": "object",
              "additionalProperties": false,
              "properties": {
                "tenants": {
                  "description": "Tenants that one runner works on at once; 8 unless given.",
                  "anyOf": [{ "type": "integer", "minimum": 1, "maximum": 1024 }, { "$ref": "#/$defs/variable" }]
                },
                "per_server": {
                  "description": "Connections per database server, over all runners; 16 unless given.",
                  "anyOf": [{ "type": "integer", "minimum": 1, "maximum": 10000 }, { "$ref": "#/$defs/variable" }]
                }
              }
            },
            "phases": {
              "description": "The named moments of a deploy, in order; \"pre-deploy\" and \"post-deploy\" unless given.",
              "type": "array", "minItems": 1, "uniqueItems": true,
              "items": { "$ref": "#/$defs/name" }
            },
            "runbooks": {
              "description": "What is done, ordered by after, then by position.",
              "type": "array",
              "items": { "$ref": "#/$defs/runbook" }
            },
            "hooks": {
              "description": "Programs around a run and around each tenant.",
              "type": "object",
              "additionalProperties": false,
              "properties": {
                "before_run": {
                  "description": "Once, before anything is touched; when it fails, nothing is.",
                  "$ref": "#/$defs/hook"
                },
                "after_run": {
                  "description": "When the run is complete, whatever its outcome (MUSTER_OUTCOME).",
                  "$ref": "#/$defs/hook"
                },
                "before_tenant": {
                  "description": "Before a tenant's runbooks; when it fails, none of them runs there.",
                  "$ref": "#/$defs/hook"
                },
                "after_tenant": {
                  "description": "Behind a tenant's runbooks, whatever became of them (MUSTER_OUTCOME).",
                  "$ref": "#/$defs/hook"
                },
                "on_failure": {
                  "description": "When the run is complete and has not succeeded, before after_run.",
                  "$ref": "#/$defs/hook"
                }
              }
            },
            "rollout": {
              "description": "How a run goes through its tenants, and what stops it.",
              "type": "object",
              "additionalProperties": false,
              "properties": {
                "max_failures": { "$ref": "#/$defs/maxFailures" },
                "same_error": { "$ref": "#/$defs/sameError" },
                "waves": {
                  "description": "Slices of the tenants, each done before the next begins. A tenant belongs to the first that takes it.",
                  "type": "array",
                  "items": { "$ref": "#/$defs/wave" }
                }
              }
            },
            "alerts": { "$ref": "#/$defs/nothingYet" }
          },

        """#
}
