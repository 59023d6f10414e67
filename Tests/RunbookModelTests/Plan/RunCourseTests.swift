import RunbookModel
import Testing

@Suite struct RunCourseTests {
    /// Guarantee: every wave of every stage has a place of its own, stages in order and waves in order within.
    @Test func placesAreInOrder() {
        for waves in 0...4 {
            let course = RunCourse(waves: waves)
            var next = 0
            for stage in 0..<5 {
                for wave in 0..<max(1, waves) {
                    let place = course.place(stage: stage, wave: wave)
                    #expect(place == next)
                    #expect(course.stage(of: place) == stage)
                    #expect(course.wave(of: place) == wave)
                    #expect(course.end(ofStageAt: place) == course.place(stage: stage + 1, wave: 0))
                    next += 1
                }
            }
        }
    }

    /// Guarantee: without waves a place is a stage.
    @Test func oneWaveChangesNothing() {
        for place in 0...9 { #expect(RunCourse(waves: 0).stage(of: place) == place) }
    }
}
