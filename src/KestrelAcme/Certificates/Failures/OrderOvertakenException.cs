namespace KestrelAcme.Certificates.Failures;

/// <summary>Another instance went on with an order that was under way here: this one's lease was deleted, or ran out while the process stood still.</summary>
internal sealed class OrderOvertakenException()
    : Exception("Another instance took over this order while it was under way here, and finished or dropped it. What it obtained is served as soon as it is in the store.");
