namespace KestrelAcme.Certificates.Orders;

/// <summary>An order was dropped while it was under way, because its key may be the one that was revoked as compromised.</summary>
internal sealed class OrderWithdrawnException()
    : Exception("The order was dropped while it was under way: a key was revoked as compromised, and the order may have used it. The next order gets a new key.");

/// <summary>Another instance went on with an order that was under way here: this one's lease was deleted, or ran out while the process stood still.</summary>
internal sealed class OrderOvertakenException()
    : Exception("Another instance took over this order while it was under way here, and finished or dropped it. What it obtained is served as soon as it is in the store.");
