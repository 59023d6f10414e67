import DatabaseAccess
import Testing

@Suite struct ConnectionURLTests {
    @Test(arguments: [
        ("sqlite:ledger.db", "ledger.db"), ("sqlite:.muster/ledger.db", ".muster/ledger.db"),
        ("sqlite:/var/lib/l.db", "/var/lib/l.db"), ("sqlite:///var/lib/l.db", "/var/lib/l.db"),
        ("sqlite:a%20b%3F%25.db", "a b?%.db"), ("sqlite:with space#1.db", "with space#1.db"),
        ("sqlite:t%C3%A4nant.db", "tänant.db"), ("sqlite:C:x.db", "C:x.db"),
    ])
    func sqliteURLsNameAFile(_ text: String, _ path: String) throws {
        let url = try ConnectionURL(parsing: text)
        #expect(url.dialect == .sqlite)
        #expect(url.path == path)
        #expect(url.description == text)
    }

    @Test(arguments: [
        "postgres://", "postgresql:///", "postgres:///app?host=/run/postgresql&user=me", "postgres://host",
        "postgres://me@host:5433/app", "postgres://h1:1,h2:2/app?target_session_attrs=read-write",
        "postgres://[::1]:5432/app", "postgres://%2Frun%2Fpg/app", "postgres://me@/app",
    ])
    func postgresURLsWithoutSecretsPrintAsTheyAre(_ text: String) throws {
        let url = try ConnectionURL(parsing: text)
        #expect(url.dialect == .postgresql)
        #expect(url.revealed == text)
        #expect(url.path == nil)
        #expect(url.description == text)
    }

    @Test(arguments: [
        ("postgres://me:hunter2@host:5433/app", "postgres://me:****@host:5433/app"),
        ("postgres://me:hun:ter2@host/app", "postgres://me:****@host/app"),
        ("postgres://me:hunter2?x@host/app", "postgres://me:****@host/app"),
        ("postgres://:hunter2@host/app", "postgres://:****@host/app"),
        ("postgres://me:hunter%402@host", "postgres://me:****@host"),
        ("postgres://me:hünter2@host", "postgres://me:****@host"),
        ("postgresql:///app?password=hunter2&user=me", "postgresql:///app?password=****&user=me"),
        ("postgres://h/app?sslpassword=hunter2&sslmode=require", "postgres://h/app?sslpassword=****&sslmode=require"),
        ("postgres://h/app?passfile=/hunter2", "postgres://h/app?passfile=****"),
        ("postgres://h/app?Password=hunter2", "postgres://h/app?Password=****"),
        ("postgres://h/app?options=-c%20app.secret%3Dhunter2", "postgres://h/app?options=****"),
        ("postgres://h/app?p%61ssword=hunter2", "postgres://h/app?p%61ssword=****"),
    ])
    func secretsNeverPrint(_ text: String, _ masked: String) throws {
        let url = try ConnectionURL(parsing: text)
        #expect(url.revealed == text)
        var dumped = ""
        dump(url, to: &dumped)
        dump([url], to: &dumped)
        let printed = [
            "\(url)", String(describing: url), String(reflecting: url), "\([url])", "\(Optional(url) as Any)", dumped,
            url.debugDescription, "\(Mirror(reflecting: url).children.map { "\($0.value)" })",
        ]
        #expect(url.description == masked)
        for text in printed {
            #expect(text.contains("****"))
            #expect(!text.contains("hunter") && !text.contains("hünter"))
        }
    }

    @Test func masksItsPasswordInAnyText() throws {
        let url = try ConnectionURL(parsing: "postgres://me:a%2Fb%2Fc@host/app?sslpassword=zz9")
        #expect(url.masking("bad a/b/c or a%2Fb%2Fc or zz9 here") == "bad **** or **** or **** here")
        #expect(try ConnectionURL(parsing: "sqlite:x.db").masking("x.db") == "x.db")
    }

    /// A refused text may be nearly anything, so the error repeats none of it but a scheme.
    @Test(arguments: [
        "", "hunter2", "mysql://me:hunter2@host/app", "Postgres://me:hunter2@host", "postgress://me:hunter2@host",
        "psql://hunter2", "me:hunter2@host/app", "host=localhost password=hunter2", "hunter2://host", "/hunter2/l.db",
        "file:///hunter2.db", "sqlite://hunter2/l.db", "sqlite:", "sqlite::memory:", "sqlite:hunter2%ZZ",
        "sqlite:hunter2%00", "sqlite:hunter2?mode=ro", "sqlite:hunter2\0", "postgres://me:hunter2@host/app\n",
        "postgres://me:hunt/er2@host/app", "postgres://me:hunt@er2@host/app", "postgres://me:hunter2%@host/app",
        "postgres://me:hunter2%4@host/app", "postgres://me:hunter2%00@host/app", "postgres://me:hunter2%FF@host/app",
        "postgres://me@host:hunter2/app", "postgres://host/app?password=a&hunter2", "postgres://h/?a=b=hunter2",
        "postgres://me:hunter2@\u{0301}host/app",
    ])
    func whatIsNoURLIsRefusedWithoutRepeatingIt(_ text: String) throws {
        let error = try #require(throws: DatabaseError.self) { try ConnectionURL(parsing: text) }
        #expect(error.code == .refused)
        #expect(error.hint?.contains("postgres://USER@HOST:PORT/DATABASE or sqlite:PATH") == true)
        #expect(!"\(error) \(String(reflecting: error))".contains("hunter"))
        #expect(!"\(error) \(String(reflecting: error))".contains("er2"))
        #expect(error.message.hasSuffix(".") || error.message.hasSuffix("?"))
    }

    @Test(arguments: [
        ("postgress://h", "There is no postgress://; did you mean postgres://?"),
        ("sqlite3://h", "There is no sqlite3://; did you mean sqlite:?"),
        ("mysql://h", "There is no driver for mysql://."),
        ("host=h user=u", "The database is given as a list of keywords; it is needed as a URL."),
    ])
    func theNearestSchemeIsNamed(_ text: String, _ message: String) throws {
        let error = try #require(throws: DatabaseError.self) { try ConnectionURL(parsing: text) }
        #expect(error.message == message)
    }
}
