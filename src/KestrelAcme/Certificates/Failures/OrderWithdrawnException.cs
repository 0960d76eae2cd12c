namespace KestrelAcme.Certificates.Failures;

/// <summary>An order was dropped while it was under way, because its key may be the one that was revoked as compromised.</summary>
internal sealed class OrderWithdrawnException()
    : Exception("The order was dropped while it was under way: a key was revoked as compromised, and the order may have used it. The next order gets a new key.");
