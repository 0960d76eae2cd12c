namespace KestrelAcme.Certificates.Failures;

/// <summary>An earlier run ended between asking for an order and storing the answer.</summary>
internal sealed class OrderOutcomeUnknownException()
    : Exception("An earlier run ended while it placed an order, and its outcome is not known. The authority may hold that order; the next attempt waits a little, as after a failure.");
