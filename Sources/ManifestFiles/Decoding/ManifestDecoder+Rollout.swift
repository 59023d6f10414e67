import RunbookModel

extension ManifestDecoder {
    private static let stopKeys = ["max_failures", "same_error"]

    func rollout(_ field: ManifestField?) -> Rollout {
        guard let object = field?.object(keys: Self.stopKeys, unsupported: ["waves"]) else { return Rollout() }
        return Rollout(limits: stopLimits(object, over: StopLimits()))
    }

    private func stopLimits(_ object: ManifestObject, over inherited: StopLimits) -> StopLimits {
        var limits = inherited
        if let allowance = object["max_failures"]?.allowance() { limits.maxFailures = allowance }
        if let count = object["same_error"]?.integer(in: 1...Int(Int32.max)) { limits.sameError = count }
        return limits
    }
}
