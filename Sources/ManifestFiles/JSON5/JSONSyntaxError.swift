/// Why a text is no JSON5.
struct JSONSyntaxError: Error, Hashable {
    var message: String
    /// The byte of the text where it shows.
    var offset: Int
}
