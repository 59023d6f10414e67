import RunbookModel

/// What the environment tells about who deploys what.
struct DeployFacts: Equatable {
    var initiator: Initiator
    var release: String?
    var revision: String?

    /// Reads the variables of the CI system that is at work, else takes the user of the operating system.
    init(environment: [String: String], userName: @autoclosure () -> String) {
        let read = Variables(environment)
        if read.isTrue("GITHUB_ACTIONS") {
            self.init(
                read["GITHUB_ACTOR"] ?? "github actions",
                url: read.joined(["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"]) { parts in
                    "\(parts[0])/\(parts[1])/actions/runs/\(parts[2])"
                },
                release: read["GITHUB_REF_TYPE"] == "tag" ? read["GITHUB_REF_NAME"] : nil,
                revision: read["GITHUB_SHA"])
        } else if read.isTrue("GITLAB_CI") {
            self.init(
                read["GITLAB_USER_LOGIN"] ?? "gitlab", url: read["CI_JOB_URL"] ?? read["CI_PIPELINE_URL"],
                release: read["CI_COMMIT_TAG"], revision: read["CI_COMMIT_SHA"])
        } else if read.isTrue("BUILDKITE") {
            self.init(
                read["BUILDKITE_BUILD_CREATOR"] ?? "buildkite", url: read["BUILDKITE_BUILD_URL"],
                release: read["BUILDKITE_TAG"], revision: read["BUILDKITE_COMMIT"])
        } else if read.isTrue("CIRCLECI") {
            self.init(
                read["CIRCLE_USERNAME"] ?? "circleci", url: read["CIRCLE_BUILD_URL"], release: read["CIRCLE_TAG"],
                revision: read["CIRCLE_SHA1"])
        } else if read.isTrue("TF_BUILD") {
            let branch = read["BUILD_SOURCEBRANCH"] ?? ""
            self.init(
                read["BUILD_REQUESTEDFOR"] ?? "azure pipelines",
                url: read.joined(["SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", "SYSTEM_TEAMPROJECT", "BUILD_BUILDID"]) {
                    "\($0[0].hasSuffix("/") ? $0[0] : $0[0] + "/")\($0[1])/_build/results?buildId=\($0[2])"
                },
                release: branch.hasPrefix("refs/tags/") ? String(branch.dropFirst("refs/tags/".count)) : nil,
                revision: read["BUILD_SOURCEVERSION"])
        } else if read["BITBUCKET_BUILD_NUMBER"] != nil {
            self.init(
                read["BITBUCKET_STEP_TRIGGERER_UUID"] ?? "bitbucket pipelines",
                url: read.joined(["BITBUCKET_REPO_FULL_NAME", "BITBUCKET_BUILD_NUMBER"]) {
                    "https://bitbucket.org/\($0[0])/pipelines/results/\($0[1])"
                },
                release: read["BITBUCKET_TAG"], revision: read["BITBUCKET_COMMIT"])
        } else if read["JENKINS_URL"] != nil {
            self.init(
                read["BUILD_USER_ID"] ?? read["JOB_NAME"] ?? "jenkins", url: read["BUILD_URL"],
                release: read["TAG_NAME"], revision: read["GIT_COMMIT"])
        } else if read.isTrue("CI") {
            self.init(userName(), url: nil, release: nil, revision: read["GIT_COMMIT"])
        } else {
            self.init(userName(), kind: "user", url: nil, release: nil, revision: nil)
        }
    }

    private init(_ name: String, kind: String = "ci", url: String?, release: String?, revision: String?) {
        initiator = Initiator(kind: kind, name: name, url: url)
        self.release = release
        self.revision = revision
    }
}

/// An environment in which empty means absent.
private struct Variables {
    private let environment: [String: String]

    init(_ environment: [String: String]) { self.environment = environment }

    subscript(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

    func isTrue(_ name: String) -> Bool { self[name].map { !["false", "0", "no"].contains($0.lowercased()) } ?? false }

    /// One text from several variables, when all of them are there.
    func joined(_ names: [String], _ join: ([String]) -> String) -> String? {
        let values = names.compactMap { self[$0] }
        return values.count == names.count ? join(values) : nil
    }
}
