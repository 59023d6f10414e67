extension ManifestSchema {
    /// What the fields refer to, to the end of the text; recorded with them.
    static let definitions = #"""
          "$defs": {
            "runbook": {
              "description": "One unit of work, done once per tenant under its key.",
              "type": "object",
              "required": ["id"],
              "additionalProperties": false,
              "oneOf": [{ "required": ["sql"] }, { "required": ["batch"] }, { "required": ["exec"] }],
              "allOf": [
                {
                  "if": { "required": ["exec"] },
                  "then": {
                    "not": {
                      "anyOf": [
                        { "required": ["transaction"] }, { "required": ["foreign_keys"] },
                        { "required": ["lock_timeout"] }, { "required": ["statement_timeout"] }
                      ]
                    }
                  },
                  "else": { "not": { "anyOf": [{ "required": ["timeout"] }, { "required": ["dry_run"] }] } }
                },
                {
                  "if": { "required": ["batch"] },
                  "then": { "not": { "anyOf": [{ "required": ["transaction"] }, { "required": ["repeatable"] }] } }
                },
                {
                  "if": { "required": ["scope"], "properties": { "scope": { "const": "workspace" } } },
                  "then": { "not": { "required": ["match"] } }
                }
              ],
              "properties": {
                "id": {
                  "description": "Its name, unique in the manifest: letters, digits, \".\", \"_\" and \"-\".",
                  "$ref": "#/$defs/name"
                },
                "key": {
                  "description": "The idempotency key, \"1\" unless given: under a new key the runbook runs again.",
                  "anyOf": [
                    { "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._+:-]*$", "maxLength": 100 },
                    { "$ref": "#/$defs/variable" }
                  ]
                },
                "title": { "description": "One line for people.", "$ref": "#/$defs/line" },
                "phase": { "description": "One of phases; the first unless given.", "type": "string", "minLength": 1 },
                "after": {
                  "description": "Ids of runbooks that must be done first, of the same phase or an earlier one.",
                  "type": "array", "uniqueItems": true,
                  "items": { "type": "string", "minLength": 1 }
                },
                "scope": {
                  "description": "Once per tenant, or once for the workspace, in the ledger's database.",
                  "anyOf": [{ "enum": ["tenant", "workspace"] }, { "$ref": "#/$defs/variable" }]
                },
                "match": {
                  "description": "Labels that a tenant must have, each with a value or a list of values. The others are not applicable.",
                  "type": "object",
                  "additionalProperties": {
                    "anyOf": [
                      { "type": "string", "minLength": 1 },
                      { "type": "array", "minItems": 1, "items": { "type": "string", "minLength": 1 } }
                    ]
                  }
                },
                "barrier": {
                  "description": "Whether every tenant must finish what stands before it first.",
                  "$ref": "#/$defs/switch"
                },
                "shared": { "$ref": "#/$defs/notYet" },
                "transaction": {
                  "description": "Whether the script and its receipt commit together; true unless given. CREATE INDEX CONCURRENTLY and VACUUM need false.",
                  "$ref": "#/$defs/switch"
                },
                "repeatable": { "description": "Whether it may run again when its end was not seen.", "$ref": "#/$defs/switch" },
                "foreign_keys": { "description": "SQLite: whether foreign keys are enforced while the script runs; false unless given, as a table rebuild needs it.", "$ref": "#/$defs/switch" },
                "on_change": {
                  "description": "What a changed body under a finished key means: fail (the default) refuses, rerun runs it again, accept counts it as done.",
                  "anyOf": [{ "enum": ["fail", "rerun", "accept"] }, { "$ref": "#/$defs/variable" }]
                },
                "sql": { "description": "A file with SQL statements.", "$ref": "#/$defs/line" },
                "batch": {
                  "description": "A backfill in batches: one statement, run again and again, each time in a transaction of its own.",
                  "type": "object",
                  "required": ["sql"],
                  "additionalProperties": false,
                  "properties": {
                    "sql": { "description": "A file with one statement that uses :limit, and :cursor (null at first) if it answers one row with the columns cursor and rows.", "$ref": "#/$defs/line" },
                    "size": { "description": "How many rows the first batch takes; 1000 unless given.", "anyOf": [{ "type": "integer", "minimum": 1, "maximum": 1000000 }, { "$ref": "#/$defs/variable" }] },
                    "target": { "description": "How long a batch is meant to take, which its size is adapted to; \"250ms\" unless given. \"none\": the size stays.", "$ref": "#/$defs/limit" },
                    "pause": { "description": "Between two batches; none unless given.", "$ref": "#/$defs/duration" },
                    "max_lag": { "description": "PostgreSQL: how far a replica may be behind before the next batch waits.", "$ref": "#/$defs/duration" },
                    "throttle": { "description": "A file with one query, asked before a batch: true, or a number of milliseconds above 0, is waited for.", "$ref": "#/$defs/line" }
                  }
                },
                "preflight": { "description": "A file with one query that answers one number: how much there is to do. plan asks it read-only in each tenant where the runbook is pending; a batch takes it for its estimate.", "$ref": "#/$defs/line" },
                "exec": { "description": "A program and its arguments: a path, or a bare name for PATH. It is never a shell line.", "$ref": "#/$defs/arguments" },
                "timeout": { "description": "exec: after this long the program and all that it started are ended; runbook_timeout unless given.", "$ref": "#/$defs/duration" },
                "dry_run": { "description": "exec: whether the program may be started in a dry run (MUSTER_DRY_RUN is set).", "$ref": "#/$defs/switch" },
                "verify": { "description": "A file with one query that answers one boolean; false fails the execution.", "$ref": "#/$defs/line" },
                "lock_wait": { "$ref": "#/$defs/lockWait" },
                "lock_timeout": { "$ref": "#/$defs/lockTimeout" },
                "statement_timeout": { "$ref": "#/$defs/statementTimeout" },
                "runbook_timeout": { "$ref": "#/$defs/runbookTimeout" },
                "retries": { "$ref": "#/$defs/retries" },
                "fuse": { "description": "Stages are fused, in defaults; not single runbooks.", "const": false }
              }
            },
            "tenant": {
              "type": "object",
              "required": ["id"],
              "properties": {
                "id": { "description": "Its name, unique among the tenants.", "$ref": "#/$defs/line" },
                "url": { "description": "Its database.", "$ref": "#/$defs/address" },
                "schema": { "description": "PostgreSQL: its schema.", "$ref": "#/$defs/schemaName" }
              },
              "additionalProperties": { "description": "A label.", "type": ["string", "number", "boolean"] }
            },
            "wave": {
              "type": "object",
              "required": ["name"],
              "additionalProperties": false,
              "properties": {
                "name": { "description": "Its name, unique among the waves.", "$ref": "#/$defs/name" },
                "match": { "$ref": "#/$defs/match" },
                "limit": {
                  "description": "It takes at most so many tenants.",
                  "anyOf": [{ "type": "integer", "minimum": 1, "maximum": 2147483647 }, { "$ref": "#/$defs/variable" }]
                },
                "share": {
                  "description": "It takes this share of the tenants that match, rounded up; the same ones every time.",
                  "anyOf": [
                    { "type": "string", "pattern": "^0*(100|[1-9][0-9]?)%$" }, { "$ref": "#/$defs/variable" }
                  ]
                },
                "concurrency": {
                  "description": "Tenants that one runner works on at once in this wave.",
                  "anyOf": [{ "type": "integer", "minimum": 1, "maximum": 1024 }, { "$ref": "#/$defs/variable" }]
                },
                "max_failures": { "$ref": "#/$defs/maxFailures" },
                "same_error": { "$ref": "#/$defs/sameError" },
                "pause": {
                  "description": "How long nothing begins between this wave and the next.",
                  "$ref": "#/$defs/duration"
                },
                "gate": {
                  "description": "What must be well before the next wave begins, after the pause.",
                  "type": "object",
                  "additionalProperties": false,
                  "oneOf": [{ "required": ["sql"], "not": { "required": ["timeout"] } }, { "required": ["exec"] }],
                  "properties": {
                    "sql": {
                      "description": "A file with one query that answers one boolean, asked in the ledger's database.",
                      "$ref": "#/$defs/line"
                    },
                    "exec": {
                      "description": "A program and its arguments: exit 0 lets the next wave begin, 75 is asked again.",
                      "$ref": "#/$defs/arguments"
                    },
                    "timeout": {
                      "description": "exec: after this long it is ended, and the run stopped; runbook_timeout unless given.",
                      "$ref": "#/$defs/duration"
                    }
                  }
                }
              }
            },
            "match": {
              "description": "Labels that a tenant must have, each with a value or a list of values.",
              "type": "object",
              "additionalProperties": {
                "anyOf": [
                  { "type": "string", "minLength": 1 },
                  { "type": "array", "minItems": 1, "items": { "type": "string", "minLength": 1 } }
                ]
              }
            },
            "maxFailures": {
              "description": "The run stops when more tenants than this have failed: a number, or a share such as \"2%\", rounded down.",
              "$ref": "#/$defs/allowance"
            },
            "sameError": {
              "description": "The run stops when so many tenants have failed alike.",
              "anyOf": [{ "type": "integer", "minimum": 1, "maximum": 2147483647 }, { "$ref": "#/$defs/variable" }]
            },
            "lockWait": {
              "description": "How long a tenant that somebody else works on is waited for; \"5m\" unless given.",
              "$ref": "#/$defs/duration"
            },
            "lockTimeout": {
              "description": "How long a statement waits for a table's lock, or \"none\"; \"3s\" unless given.",
              "$ref": "#/$defs/limit"
            },
            "statementTimeout": {
              "description": "How long one statement may take, or \"none\"; \"15m\" unless given.",
              "$ref": "#/$defs/limit"
            },
            "runbookTimeout": {
              "description": "How long a runbook may take in one tenant, or \"none\"; \"1h\" unless given.",
              "$ref": "#/$defs/limit"
            },
            "retries": {
              "description": "How often a transient failure is tried again; 3 unless given.",
              "anyOf": [{ "type": "integer", "minimum": 0, "maximum": 100 }, { "$ref": "#/$defs/variable" }]
            },
            "variable": {
              "description": "A text that holds an environment variable.",
              "type": "string", "pattern": "[$][{][A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?[}]"
            },
            "name": {
              "anyOf": [
                { "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$", "maxLength": 100 },
                { "$ref": "#/$defs/variable" }
              ]
            },
            "line": { "type": "string", "minLength": 1, "pattern": "^[^\\u0000-\\u001f\\u007f]*$" },
            "schemaName": {
              "allOf": [{ "$ref": "#/$defs/line" }, { "not": { "pattern": "^(pg_|[$]user$|information_schema$)" } }]
            },
            "address": {
              "anyOf": [
                { "$ref": "#/$defs/postgresAddress" },
                { "type": "string", "pattern": "^sqlite:(//)?[^?]+$", "not": { "pattern": "^sqlite:(:memory:$|//[^/])" } },
                { "$ref": "#/$defs/variable" }
              ]
            },
            "postgresAddress": {
              "anyOf": [{ "type": "string", "pattern": "^postgres(ql)?://" }, { "$ref": "#/$defs/variable" }]
            },
            "addressTemplate": { "anyOf": [{ "$ref": "#/$defs/address" }, { "type": "string", "pattern": "^[{]" }] },
            "arguments": { "type": "array", "minItems": 1, "items": { "type": "string" } },
            "switch": { "anyOf": [{ "type": "boolean" }, { "$ref": "#/$defs/variable" }] },
            "duration": {
              "description": "Whole numbers with units, the largest first: \"250ms\", \"3s\", \"5m\", \"1h30m\", \"90d\".",
              "anyOf": [
                { "type": "string", "pattern": "^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$" },
                { "$ref": "#/$defs/variable" }
              ]
            },
            "limit": {
              "anyOf": [
                { "const": "none" },
                { "allOf": [{ "$ref": "#/$defs/duration" }, { "not": { "pattern": "^(0+[a-z]+)+$" } }] }
              ]
            },
            "allowance": {
              "anyOf": [
                { "type": "integer", "minimum": 0, "maximum": 2147483647 },
                { "type": "string", "pattern": "^0*(100|[0-9]{1,2})%$" },
                { "$ref": "#/$defs/variable" }
              ]
            },
            "pooler": {
              "description": "PostgreSQL: what kind of pooler stands in between. Left out, Muster finds out.",
              "anyOf": [{ "enum": ["session", "transaction"] }, { "$ref": "#/$defs/variable" }]
            },
            "notYet": { "description": "Not supported yet.", "const": false },
            "nothingYet": {
              "description": "Not supported yet.",
              "anyOf": [{ "type": "array", "maxItems": 0 }, { "type": "object", "maxProperties": 0 }]
            }
          }
        }

        """#
}
