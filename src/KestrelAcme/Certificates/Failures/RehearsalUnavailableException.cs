namespace KestrelAcme.Certificates.Failures;

/// <summary>The staging service could not be reached, and not for long enough yet to do without it.</summary>
internal sealed class RehearsalUnavailableException()
    : Exception("After a failed validation the next attempt is rehearsed at the authority's staging service, which could not be reached. Without it, production is asked after an hour.");
