/// The way of a run through its stages and waves.
///
/// Waves stand inside stages: what ends a stage is a barrier, or a runbook that runs once, and both are for all tenants.
/// A run without either has one stage, and each of its waves goes through everything before the next begins. Each wave of
/// each stage has a place; the run goes from place to place, and so does each job.
package struct RunCourse: Sendable, Hashable {
    /// At least 1.
    package let waves: Int

    package init(waves: Int) {
        self.waves = max(1, waves)
    }

    package func place(stage: Int, wave: Int) -> Int { stage * waves + wave }

    package func stage(of place: Int) -> Int { place / waves }

    package func wave(of place: Int) -> Int { place % waves }

    /// The first place of the next stage.
    package func end(ofStageAt place: Int) -> Int { (stage(of: place) + 1) * waves }
}
