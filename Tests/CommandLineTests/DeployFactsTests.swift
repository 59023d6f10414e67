import RunbookModel
import Testing

@testable import CommandLine

@Suite struct DeployFactsTests {
    /// Guarantee: each CI system's variables give who, where, which release and which revision.
    @Test(
        arguments: [
            (
                [
                    "GITHUB_ACTIONS": "true", "CI": "true", "GITHUB_ACTOR": "octo",
                    "GITHUB_SERVER_URL": "https://github.com",
                    "GITHUB_REPOSITORY": "o/r", "GITHUB_RUN_ID": "7", "GITHUB_SHA": "abc", "GITHUB_REF_TYPE": "tag",
                    "GITHUB_REF_NAME": "v1",
                ],
                Initiator(kind: "ci", name: "octo", url: "https://github.com/o/r/actions/runs/7"), "v1", "abc"
            ),
            (
                ["GITHUB_ACTIONS": "true", "GITHUB_REF_TYPE": "branch", "GITHUB_REF_NAME": "main"],
                Initiator(kind: "ci", name: "github actions"), nil, nil
            ),
            (
                [
                    "GITLAB_CI": "true", "GITLAB_USER_LOGIN": "g", "CI_JOB_URL": "https://gl/j/1", "CI_COMMIT_SHA": "d",
                    "CI_COMMIT_TAG": "v2",
                ],
                Initiator(kind: "ci", name: "g", url: "https://gl/j/1"), "v2", "d"
            ),
            (
                ["JENKINS_URL": "https://j/", "JOB_NAME": "deploy", "BUILD_URL": "https://j/1", "GIT_COMMIT": "e"],
                Initiator(kind: "ci", name: "deploy", url: "https://j/1"), nil, "e"
            ),
            (
                ["CIRCLECI": "true", "CIRCLE_USERNAME": "c", "CIRCLE_BUILD_URL": "u", "CIRCLE_SHA1": "f"],
                Initiator(kind: "ci", name: "c", url: "u"), nil, "f"
            ),
            (
                [
                    "BUILDKITE": "true", "BUILDKITE_BUILD_CREATOR": "b", "BUILDKITE_BUILD_URL": "u",
                    "BUILDKITE_COMMIT": "g",
                ],
                Initiator(kind: "ci", name: "b", url: "u"), nil, "g"
            ),
            (
                [
                    "TF_BUILD": "True", "BUILD_REQUESTEDFOR": "a",
                    "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI": "https://az/o/",
                    "SYSTEM_TEAMPROJECT": "p", "BUILD_BUILDID": "9", "BUILD_SOURCEVERSION": "h",
                    "BUILD_SOURCEBRANCH": "refs/tags/v3",
                ],
                Initiator(kind: "ci", name: "a", url: "https://az/o/p/_build/results?buildId=9"), "v3", "h"
            ),
            (
                ["BITBUCKET_BUILD_NUMBER": "4", "BITBUCKET_REPO_FULL_NAME": "o/r", "BITBUCKET_COMMIT": "i"],
                Initiator(
                    kind: "ci", name: "bitbucket pipelines", url: "https://bitbucket.org/o/r/pipelines/results/4"),
                nil, "i"
            ),
            (["CI": "1"], Initiator(kind: "ci", name: "ada"), nil, nil),
            (["CI": "false"], Initiator(kind: "user", name: "ada"), nil, nil),
            ([:], Initiator(kind: "user", name: "ada"), nil, nil),
            (["GITHUB_ACTIONS": ""], Initiator(kind: "user", name: "ada"), nil, nil),
        ] as [([String: String], Initiator, String?, String?)])
    func initiatorIsFound(
        _ environment: [String: String], _ initiator: Initiator, _ release: String?, _ revision: String?
    ) {
        let facts = DeployFacts(environment: environment, userName: "ada")
        #expect(facts.initiator == initiator)
        #expect(facts.release == release)
        #expect(facts.revision == revision)
    }
}
