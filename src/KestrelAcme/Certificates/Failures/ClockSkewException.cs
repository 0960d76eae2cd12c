namespace KestrelAcme.Certificates.Failures;

/// <summary>Our clock and the authority's are more than an hour apart: nothing is ordered by a clock that is wrong.</summary>
internal sealed class ClockSkewException(TimeSpan skew, Uri directoryUrl)
    : Exception($"The clock of this machine is {skew.Duration().TotalHours:0.#} hours {(skew > TimeSpan.Zero ? "ahead of" : "behind")} the clock of {directoryUrl.IdnHost}. " +
        "Nothing is ordered until they agree to within an hour: set the clock, or start a time service.");
